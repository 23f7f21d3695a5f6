'use strict';

// Values as JSON that keeps what JSON loses: the other side is node_values.py.

const number = hex => Buffer.from(hex, 'hex').readDoubleBE(0);

function hexOf(value) {
  const buffer = Buffer.alloc(8);
  buffer.writeDoubleBE(value, 0);
  return buffer.toString('hex');
}

function members(pairs, target) {
  for (const [ name, value ] of pairs) target[name] = build(value);
  return target;
}

const BUILDERS = {
  number,
  date: milliseconds => new Date(milliseconds),
  bytes: text => Buffer.from(text, 'base64'),
  object: pairs => members(pairs, {}),
  error: pairs => members(pairs, new Error()),
  undefined: () => undefined,
};

/** The value that a description describes. */
function build(description) {
  if (Array.isArray(description)) return description.map(build);
  if (description === null || typeof description !== 'object') return description;
  const [ kind ] = Object.keys(description);
  return BUILDERS[kind](description[kind]);
}

const pairsOf = (value, names) => names.map(name => [ name, describe(value[name]) ]);

/** The description of a value. */
function describe(value) {
  if (value === undefined) return { undefined: true };
  if (typeof value === 'number') return { number: hexOf(value) };
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(describe);
  if (value instanceof Date) return { date: value.getTime() };
  if (Buffer.isBuffer(value)) return { bytes: value.toString('base64') };
  if (value instanceof Error) {
    const names = new Set([ 'message', 'stack', ...Object.keys(value) ]);
    return { error: pairsOf(value, [ ...names ]) };
  }
  return { object: pairsOf(value, Object.keys(value)) };
}

module.exports = { build, describe };
