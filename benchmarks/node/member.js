'use strict';

// The member of ../member.py, made with npm's cluster-client: the same job, commands and journal.

const fs = require('fs');
const readline = require('readline');
const Base = require('sdk-base');
const cluster = require('cluster-client');

const LONGEST_FAILURE_PAUSE = 20; // milliseconds; a random part of it, so that callers spread
const LEADING_PAUSE = 20;
const READY_WAIT = 60000;
const HALT_WAIT = 10000; // a call that has no answer by then gets none

const job = JSON.parse(process.argv[2]);
const journal = fs.openSync(job.source.journal, 'a', 0o600);
const quiet = { info() {}, warn() {}, error() {}, debug() {} };

const now = () => Number(process.hrtime.bigint()) / 1e9; // CLOCK_MONOTONIC
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));
const turn = () => new Promise(resolve => setImmediate(resolve));

function note(what, details) {
  const line = Object.assign({ time: now() }, details, { what, pid: process.pid });
  fs.writeSync(journal, JSON.stringify(line) + '\n');
}

let made = 0;

class Source extends Base {
  constructor(settings) {
    super();
    this.name = `${process.pid}-${++made}`;
    note('made', { leader: this.name });
    if (settings.start_seconds) {
      setTimeout(() => this.ready(true), settings.start_seconds * 1000);
    } else {
      this.ready(true);
    }
  }

  async whoami() {
    return this.name;
  }

  subscribe(registration, listener) {
    listener({ leader: this.name, number: 0 });
  }

  close() {
    note('closed', { leader: this.name });
  }
}

class Member {
  constructor() {
    this.leader = null;
    this.valuesOf = null;
    this.waiting = 0;
    this.calls = 0;
    this.failed = new Map(); // kind -> number; in the gap many calls fail at once
  }

  async join() {
    const options = {
      port: job.port, name: 'benchmark', responseTimeout: job.timeout * 1000, logger: quiet,
      maxWaitTime: READY_WAIT,
    };
    if (job.is_leader !== null) options.isLeader = job.is_leader;
    this.client = cluster(Source, options).delegate('whoami').create(job.source);
    this.client.on('error', () => {}); // each call that fails is noted
    for (const key of job.keys) {
      this.client.subscribe({ key }, value => this.told(key, value));
    }
    await this.client.ready();
  }

  told(key, value) {
    if (value.leader === this.valuesOf) return;
    this.valuesOf = value.leader;
    note('first_value', { key, leader: value.leader, number: value.number });
  }

  async go() {
    this.halted = false;
    this.lastAnswer = now();
    await new Promise(resolve => {
      this.hasAnswer = resolve;
      this.callers = Array.from({ length: job.greenlets }, () => this.callOn());
    });
  }

  async callOn() {
    while (!this.halted) {
      this.waiting++;
      try {
        this.answered(await this.client.whoami());
      } catch (error) {
        const text = String(error.message).replace(/ ?\(address.*|[\d.]+:\d+/g, '').trim();
        this.count(`${error.name} (${text.slice(0, 60)})`);
        await sleep(Math.random() * LONGEST_FAILURE_PAUSE);
      } finally {
        this.waiting--;
      }
      if (this.client.isClusterClientLeader) await sleep(LEADING_PAUSE);
      else if (job.pause) await sleep(job.pause * 1000);
      else await turn(); // a promise alone does not let the loop turn
    }
  }

  count(kind) {
    this.failed.set(kind, (this.failed.get(kind) || 0) + 1);
  }

  answered(leader) {
    const time = now();
    this.calls++;
    if (leader !== this.leader) {
      const gap = this.leader === null ? null : time - this.lastAnswer;
      note('first_answer', { time, leader, gap });
      this.leader = leader;
    }
    this.lastAnswer = time;
    this.hasAnswer();
  }

  async halt() {
    this.halted = true;
    await Promise.race([ Promise.all(this.callers), sleep(HALT_WAIT) ]);
    for (; this.waiting > 0; this.waiting--) this.count('never answered');
    for (const [ error, count ] of this.failed) {
      // The package does not tell an outcome.
      note('failed', { method: 'whoami', leader: this.leader, error, outcome: null, count });
    }
    this.failed.clear();
    note('calls', { calls: { whoami: this.calls } });
  }

  async close() {
    await this.halt();
    await cluster.close(this.client);
  }
}

const member = new Member();
const say = message => process.stdout.write(JSON.stringify(message) + '\n');
let last = Promise.resolve();
readline.createInterface({ input: process.stdin })
  .on('line', line => {
    const command = JSON.parse(line);
    last = last.then(() => member[command]()).then(() => say({ did: command, value: null }));
  })
  .on('close', () => process.exit(0));
say({ up: process.pid });
