'use strict';

// Node's client of the registry: what ../registry_client.py is in Python.  The class has the same
// name, which is the channel's, and the same methods.  All of them are async: a leader dies of a
// method that throws before it returns a promise, and never answers for one that returns none.

const net = require('net');
const readline = require('readline');
const Base = require('sdk-base');

class RegistryClient extends Base {
  constructor(address) {
    super({ initMethod: 'connect' }); // ready when that is done
    const [ host, port ] = address.split(':');
    this.address = { host, port: Number(port) };
    this.answers = new Map(); // request id -> [ resolve, reject ]
    this.watchers = new Map(); // key -> listener
    this.lastId = 0;
  }

  async connect() {
    this.socket = net.connect(this.address);
    await new Promise((resolve, reject) => {
      this.socket.once('connect', resolve);
      this.socket.once('error', reject);
    });
    this.socket.on('error', error => this.emit('error', error));
    this.socket.on('close', () => this.lose());
    readline.createInterface({ input: this.socket })
      .on('line', line => this.take(JSON.parse(line)));
    await this.request('hello', { name: `pid ${process.pid}` });
  }

  // This example does not connect again: it ends, and another process of the host takes over.
  lose() {
    const error = new Error('the connection to the registry was lost');
    for (const [ , reject ] of this.answers.values()) reject(error);
    this.answers.clear();
    this.emit('lost');
  }

  take(message) {
    if (message.push) {
      const listener = this.watchers.get(message.key);
      if (listener) listener(message.value);
      return;
    }
    const [ resolve, reject ] = this.answers.get(message.id);
    this.answers.delete(message.id);
    const { ok, error, code } = message;
    if (ok) resolve(message);
    else reject(Object.assign(new Error(error), { name: 'RegistryError', code }));
  }

  request(op, members) {
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      this.answers.set(id, [ resolve, reject ]);
      this.socket.write(JSON.stringify(Object.assign({ id, op }, members)) + '\n');
    });
  }

  // What the cluster shares

  async get(key) {
    return (await this.request('get', { key })).value;
  }

  async publish(registration) {
    await this.request('set', { key: registration.key, value: registration.value });
  }

  subscribe(registration, listener) {
    this.watchers.set(registration.key, listener);
    this.request('watch', { key: registration.key }).catch(error => this.emit('error', error));
  }

  async close() {
    this.socket.removeAllListeners('close');
    this.socket.destroy();
  }
}

module.exports = RegistryClient;
