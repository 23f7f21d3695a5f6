'use strict';

// Egg's master picks a random port for cluster-client at every start, where no Python process can
// find it.  This fixes it, for the agent and the application alike: copy this file beside agent.js
// and app.js, and begin both of them with
//
//     const FixedClusterPort = require('./fixed_cluster_port');
//     module.exports = FixedClusterPort;             // or: class Boot extends FixedClusterPort
//
// It has to be done before a client is made, so clients are made in didLoad or later.

const PORT = Number(process.env.EGG_CLUSTER_PORT || 7777);

class FixedClusterPort {
  constructor(app) {
    this.app = app; // the agent, in agent.js
  }

  configDidLoad() {
    this.app.options.clusterPort = PORT;
  }
}

module.exports = FixedClusterPort;
