'use strict';

// The member of ../shapes/program.py, made with npm's cluster-client: values to many followers
// (as ../shapes/fan_out_source.py tells them), and followers that are idle or call.

const { execSync } = require('child_process');
const readline = require('readline');
const Base = require('sdk-base');
const cluster = require('cluster-client');

const STEP = 50; // as in fan_out_source.py
const SPARE_DESCRIPTORS = 100; // as in usage.py
const AT_ONCE = 50; // as in program.py
const SMALL = { id: 12345, enabled: true, name: 'x'.repeat(60) };
const quiet = { info() {}, warn() {}, error() {}, debug() {} };

const now = () => Number(process.hrtime.bigint()) / 1e9; // CLOCK_MONOTONIC
const turn = () => new Promise(resolve => setImmediate(resolve));
const cpu = () => {
  const used = process.cpuUsage();
  return (used.user + used.system) / 1e6;
};

// The values of one key.
class Topic {
  constructor(listener) {
    this.listener = listener;
    this.told = 0;
    this.seenByAll = 0;
    this.followers = 0;
    this.seen = new Map(); // number -> by how many followers
    this.wake = null;
  }

  tell(text) {
    this.listener({ number: ++this.told, text });
  }

  isSeen(number) {
    const count = (this.seen.get(number) || 0) + 1;
    this.seen.set(number, count);
    if (count < this.followers) return;
    this.seen.delete(number);
    this.seenByAll = number;
    if (this.wake) this.wake();
  }

  async until(number) {
    while (this.seenByAll < number) await new Promise(resolve => { this.wake = resolve; });
  }
}

let source = null; // the real client, where this process leads

class Source extends Base {
  constructor() {
    super();
    this.topics = new Map();
    source = this;
    this.ready(true);
  }

  subscribe(registration, listener) {
    const topic = new Topic(listener);
    this.topics.set(registration.key, topic);
    listener({ number: topic.told, text: '' });
  }

  seen(key, number) {
    this.topics.get(key).isSeen(number);
  }

  async get() {
    return SMALL;
  }

  async tell({ key, followers, seconds, burst, window, size }) {
    const topic = this.topics.get(key);
    const text = 'x'.repeat(size);
    topic.followers = followers;
    const before = topic.told;
    const usedBefore = cpu();
    const started = now();
    while (now() < started + seconds || topic.told % STEP) {
      const room = window - (topic.told - topic.seenByAll);
      const count = Math.min(burst, room, STEP - topic.told % STEP);
      for (let number = 0; number < count; number++) topic.tell(text);
      if (topic.told - topic.seenByAll >= window) await topic.until(topic.told - window + 1);
      else await turn();
    }
    await topic.until(topic.told);
    return {
      delivered: (topic.told - before) * followers, seconds: now() - started,
      cpu: cpu() - usedBefore,
    };
  }
}

class Member {
  constructor() {
    this.clients = new Map(); // port -> clients
  }

  async join({ port, number = 1, is_leader: isLeader = false }) {
    if (!this.clients.has(port)) this.clients.set(port, []);
    const made = this.clients.get(port);
    const make = async () => {
      const client = cluster(Source, { port, name: 'shapes', isLeader, logger: quiet })
        .delegate('get').delegate('seen', 'invokeOneway').create();
      await client.ready();
      made.push(client);
    };
    for (let begun = 0; begun < number; begun += AT_ONCE) {
      await Promise.all(Array.from({ length: Math.min(AT_ONCE, number - begun) }, make));
    }
  }

  async cpu() {
    return cpu();
  }

  async memory() {
    global.gc();
    return { now: process.memoryUsage().rss };
  }

  async listen({ port, key }) {
    await Promise.all(this.clients.get(port).map(client => new Promise(resolve => {
      let heard = null;
      client.subscribe({ key }, ({ number }) => {
        if (heard === null) {
          heard = number;
          resolve();
        } else if (number === heard + 1) {
          heard = number;
          if (number % STEP === 0) client.seen(key, number);
        }
      });
    })));
  }

  tell(how) {
    return source.tell(how);
  }

  async keep_calling({ port, greenlets, seconds }) {
    const client = this.clients.get(port)[0];
    let calls = 0;
    const started = now();
    const caller = async () => {
      do {
        await client.get();
        calls++;
      } while (now() < started + seconds);
    };
    await Promise.all(Array.from({ length: greenlets }, caller));
    return { calls, seconds: now() - started };
  }
}

function connectionsAllowed() {
  const most = parseInt(execSync('ulimit -n').toString(), 10); // Node.js has raised it
  return (most || 1e6) - SPARE_DESCRIPTORS;
}

const member = new Member();
const say = message => process.stdout.write(JSON.stringify(message) + '\n');
let last = Promise.resolve();
readline.createInterface({ input: process.stdin })
  .on('line', line => {
    const command = JSON.parse(line);
    last = last.then(() => member[command.do](command))
      .then((value = null) => say({ value }));
  })
  .on('close', () => process.exit(0));
say({ up: connectionsAllowed() });
