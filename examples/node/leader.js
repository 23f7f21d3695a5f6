'use strict';

// A Node.js process of a host, in one cluster with the Python workers of ../app.py:
//
//     REGISTRY_ADDRESS=127.0.0.1:4000 node examples/node/leader.js
//
// Whoever starts first leads and has the one connection to the registry; here as there the code
// does not show it.  REGISTRY_CLUSTER_PORT (7777) is where they all meet.

const cluster = require('cluster-client');
const RegistryClient = require('./registry_client');

const address = process.env.REGISTRY_ADDRESS || '127.0.0.1:4000';
const port = Number(process.env.REGISTRY_CLUSTER_PORT || 7777);

async function main() {
  const client = cluster(RegistryClient, { port }).create(address);
  client.on('error', error => console.error(`the registry client: ${error.message}`));
  client.on('lost', () => process.exit(1));
  process.once('SIGTERM', async () => {
    await cluster.close(client);
    process.exit(0);
  });
  await client.ready();
  const role = client.isClusterClientLeader ? 'leader' : 'follower';
  console.log(`process ${process.pid} is a ${role}`);
  client.subscribe({ key: 'greeting' }, value => {
    console.log(`greeting is ${JSON.stringify(value)}`);
  });
  client.publish({ key: 'greeting', value: `hello from Node.js, process ${process.pid}` });
}

main().catch(error => {
  console.error(error);
  process.exit(1);
});
