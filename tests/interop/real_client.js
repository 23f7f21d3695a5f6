'use strict';

// The real client of Node's side.  It notes in a journal what is done to it, as Python's does.

const fs = require('fs');
const Base = require('sdk-base');

class RealClient extends Base {
  constructor(config) {
    super();
    this.config = config;
    this.subscribers = new Map();
    this.note('made');
    if (config.fails) this.ready(Object.assign(new Error(config.fails), { code: 'ESTART' }));
    else this.ready(true);
  }

  note(what, details) {
    if (!this.config.journal) return;
    const time = Number(process.hrtime.bigint()) / 1e9; // CLOCK_MONOTONIC
    fs.appendFileSync(this.config.journal,
      JSON.stringify(Object.assign({ what, pid: process.pid, time }, details)) + '\n');
  }

  subscribe(registration, listener) {
    this.note('subscribed', { key: registration.dataId, registration });
    this.subscribers.set(registration.dataId, listener);
    listener({ first: process.pid });
  }

  unSubscribe(registration) {
    this.note('unsubscribed', { key: registration.dataId });
  }

  publish(registration) {
    this.note('published', { registration });
  }

  async push(key, value) {
    this.subscribers.get(key)(value);
    return true; // JSON has no undefined, and then the package would not answer
  }

  async pushUndefined(key) {
    this.subscribers.get(key)(undefined);
  }

  async echo(...args) {
    // The package's leader gives every method a callback behind its arguments.
    args = args.filter(arg => typeof arg !== 'function');
    return args.length === 1 ? args[0] : args;
  }

  async whoami() {
    return process.pid;
  }

  async getConfig(dataId, group, limit) {
    return [ dataId, group, limit ];
  }

  getLater(value, callback) {
    setImmediate(() => callback(null, value));
  }

  * getGenerated(value) {
    return yield Promise.resolve(value);
  }

  async getNothing() {
    // undefined
  }

  async getNever() {
    return new Promise(() => {});
  }

  // Only over the wire: nothing delegates it, and a leader calls it all the same.
  getPlain() {
    this.note('plain');
    return 'a plain value';
  }

  throwAtOnce() {
    this.note('throws');
    throw new Error('thrown at once');
  }

  touch(value) {
    this.note('touched', { value });
  }

  async fail(message, code) {
    throw Object.assign(new TypeError(message), code === undefined ? {} : { code });
  }

  failLater(message, callback) {
    setImmediate(() => callback(new RangeError(message)));
  }

  close() {
    this.note('closed');
  }
}

module.exports = RealClient;
