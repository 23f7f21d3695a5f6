'use strict';

// The worker of ../worker.py, made with npm's cluster-client: the same job, lines and answers.

const readline = require('readline');
const Base = require('sdk-base');
const cluster = require('cluster-client');

const WARM_UP_SECONDS = 0.1;
const PAD = 'lorem ipsum dolor ';
const JSON_TRANSCODE = {
  encode: value => Buffer.from(JSON.stringify(value)),
  decode: data => JSON.parse(data),
};

const job = JSON.parse(process.argv[2]);
const quiet = { info() {}, warn() {}, error() {}, debug() {} };

const now = () => Number(process.hrtime.bigint()) / 1e9; // CLOCK_MONOTONIC
const say = message => process.stdout.write(JSON.stringify(message) + '\n');

function answer(payload) {
  const value = { id: 12345, weight: 0.75, enabled: true, name: '' };
  const missing = payload - JSON.stringify(value).length;
  if (missing > 0) value.name = PAD.repeat(Math.ceil(missing / PAD.length)).slice(0, missing);
  return value;
}

class Source extends Base {
  constructor({ payload }) {
    super();
    this.answer = answer(payload);
    this.ready(true);
  }

  async get() {
    return this.answer;
  }

  close() {}
}

async function connect(isLeader) {
  const options = { port: job.port, name: 'benchmark', isLeader, logger: quiet };
  if (job.transcode === 'json') options.transcode = JSON_TRANSCODE;
  const client = cluster(Source, options).delegate('get').create({ payload: job.payload });
  await client.ready();
  return client;
}

function percentile(ordered, percent) {
  if (!ordered.length) return 0;
  return ordered[Math.max(0, Math.ceil(ordered.length * percent / 100) - 1)];
}

async function play(clients, { callers, at_once: atOnce, seconds }) {
  const times = [];
  const started = now();
  const deadline = started + seconds;

  async function callOn(client) {
    const several = new Array(atOnce);
    let before = now();
    while (before < deadline) {
      if (atOnce === 1) {
        await client.get('key');
      } else {
        for (let number = 0; number < atOnce; number++) several[number] = client.get('key');
        await Promise.all(several);
      }
      const after = now();
      times.push(after - before);
      before = after;
    }
  }

  const running = [];
  for (const client of clients) {
    for (let number = 0; number < callers; number++) running.push(callOn(client));
  }
  await Promise.all(running);
  const ended = now();
  const ordered = Float64Array.from(times).sort();
  return {
    calls: times.length, started, ended,
    p50: percentile(ordered, 50), p99: percentile(ordered, 99),
  };
}

async function main() {
  const clients = [];
  if (job.role === 'serve') {
    await connect(true);
  } else {
    for (let number = 0; number < job.connections; number++) clients.push(await connect(false));
    for (const client of clients) {
      const got = JSON.stringify(await client.get('key'));
      if (got !== JSON.stringify(answer(job.payload))) throw new Error(`it answers ${got}`);
    }
    await play(clients.slice(0, 1), { callers: 1, at_once: 1, seconds: WARM_UP_SECONDS });
  }
  say({ ready: job.port });
  for await (const line of readline.createInterface({ input: process.stdin })) {
    say(await play(clients, JSON.parse(line)));
  }
  process.exit(0);
}

main().catch(error => {
  console.error(error);
  process.exit(1);
});
