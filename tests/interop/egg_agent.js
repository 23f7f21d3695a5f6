'use strict';

// What Egg does, without Egg: the agent is a forced leader, an application worker a forced
// follower, and both take the port from options.clusterPort, which the master made up.

const cluster = require('cluster-client');
const Base = require('sdk-base');
const FixedClusterPort = require(process.argv[2]);

class Store extends Base {
  constructor() {
    super();
    this.ready(true);
  }

  subscribe(registration, listener) {
    listener({ agent: process.pid });
  }

  async getConfig(dataId, group) {
    return { dataId, group, agent: process.pid };
  }
}

async function main() {
  const app = { type: process.argv[3], options: { clusterPort: 1 } };
  new FixedClusterPort(app).configDidLoad();
  const client = cluster(Store, { port: app.options.clusterPort, isLeader: app.type === 'agent' })
    .create();
  await client.ready();
  console.log(`${app.type} is ready`);
}

main().catch(error => {
  console.log(`failed: ${error.message}`);
  process.exit(1);
});
