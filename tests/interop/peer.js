'use strict';

// A member of a cluster that is made with npm's cluster-client, run as a child process.  It talks
// with its test in lines of JSON, as tests/support/cluster_member.py does: see there.

const readline = require('readline');
const co = require('co');
const cluster = require('cluster-client');
const utils = require('cluster-client/lib/utils');
const serializeJson = require('serialize-json');
const RealClient = require('./real_client');
const { build, describe } = require('./values');

const JSON_TRANSCODE = {
  encode: value => Buffer.from(JSON.stringify(value)),
  decode: data => JSON.parse(data),
};
const MARKED_TRANSCODE = {
  encode: value => Buffer.from('!' + JSON.stringify(value)),
  decode: data => {
    if (data[0] !== 0x21) throw new Error('there is no mark');
    return JSON.parse(data.slice(1));
  },
};
const clients = new Map();
const listeners = new Map();

function tell(event, details) {
  process.stdout.write(JSON.stringify(Object.assign({}, details, { event })) + '\n');
}

function toldError(error) {
  const members = {};
  for (const name of Object.getOwnPropertyNames(error)) members[name] = describe(error[name]);
  return {
    type: error.name, text: String(error.message), outcome: null, details: members, args: [],
  };
}

const COMMANDS = {
  // Options go to the package as they are; json: true gives it JSON as its transcode, "marked" one
  // that nobody could guess.
  async create({ client, options, config, json }) {
    const chosen = json === 'marked' ? MARKED_TRANSCODE : JSON_TRANSCODE;
    const transcode = json ? { transcode: chosen } : {};
    const made = cluster(RealClient, Object.assign({}, options, transcode))
      .delegate('getLater')
      .delegate('failLater')
      .delegate('throwAtOnce')
      .delegate('touch', 'invokeOneway')
      .create(config || {});
    made.on('error', error => tell(`${client} error`, { name: error.name, text: error.message }));
    clients.set(client, made);
  },

  ready: ({ client }) => clients.get(client).ready(),
  is_leader: async ({ client }) => clients.get(client).isClusterClientLeader,

  async close({ client }) {
    const made = clients.get(client);
    clients.delete(client);
    await cluster.close(made);
  },

  // Ends what a test has left; one that never became ready cannot be closed.
  async close_all() {
    const all = [ ...clients.values() ];
    clients.clear();
    await Promise.all(all.map(made => Promise.race([
      cluster.close(made), new Promise(resolve => setTimeout(resolve, 1000).unref()) ])));
  },

  async call({ client, name, args }) {
    const answer = clients.get(client)[name](...(args || []).map(build));
    const value = await (answer && answer.next ? co(answer) : answer);
    return describe(value);
  },

  call_back: ({ client, name, args }) => new Promise((resolve, reject) => {
    clients.get(client)[name](...args.map(build),
      (error, value) => (error ? reject(error) : resolve(describe(value))));
  }),

  // So many calls at once; each has to get its own answer.
  async call_many({ client, count }) {
    const numbers = Array.from({ length: count }, (_, index) => index);
    const answers = await Promise.all(numbers.map(index => clients.get(client).echo(index)));
    return numbers.filter(index => answers[index] !== index).length;
  },

  async publish({ client, registration }) {
    clients.get(client).publish(build(registration));
  },

  async subscribe({ client, registration, name = 'value' }) {
    const listener = value => tell(`${client} ${name}`, { value: describe(value) });
    listeners.set(`${client} ${name}`, listener);
    clients.get(client).subscribe(build(registration), listener);
  },

  // One listener, or all of the registration.
  async unsubscribe({ client, registration, name }) {
    clients.get(client).unSubscribe(build(registration), listeners.get(`${client} ${name}`));
  },

  // Calls what nothing delegates, past the package's own checks.
  async invoke_raw({ client, method, args }) {
    const invoke = Symbol.for('ClusterClient#invoke');
    return await new Promise((resolve, reject) => {
      clients.get(client)[invoke](method, args.map(build),
        (error, value) => (error ? reject(error) : resolve(describe(value))));
    });
  },

  set_last_id: async ({ id }) => utils.setId(id),

  // Through the package's own transcode, in both directions.
  encode: async ({ values }) => values.map(
    value => serializeJson.encode(build(value)).toString('base64')),
  decode: async ({ encoded }) => encoded.map(
    text => describe(serializeJson.decode(Buffer.from(text, 'base64')))),
};

async function obey(command) {
  try {
    const value = await COMMANDS[command.do](command);
    tell(`answer ${command.number}`, { value: value === undefined ? null : value });
  } catch (error) {
    tell(`answer ${command.number}`, { error: toldError(error) });
  }
}

readline.createInterface({ input: process.stdin })
  .on('line', line => obey(JSON.parse(line)))
  .on('close', () => process.exit(0));
tell('started', { pid: process.pid });
