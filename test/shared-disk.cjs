/**
 * Preloaded (`node --require`) into a program: its disk below a folder is one that several machines share, as an NFS client
 * shows it, and it is one of those machines. AURORA_TEST_DISK is JSON: {root, host, lateMs, stale, job}.
 *
 * - Names: what a lookup found, or did not find, is believed for `lateMs`, so files that others create appear late, and
 *   those that they remove or replace disappear late. A change that this process makes in a folder refreshes its names.
 * - Contents: reading a file that was replaced meanwhile fails with ESTALE the first time (`stale`: "error"), or returns the
 *   replaced content for as long (`stale`: "content", as with `nocto`).
 * - Renames to a path that matches `failing.pattern` fail with `failing.codes`, one each.
 * - The server decides what it is asked to do: exclusive creation, links and renames are atomic.
 */
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const { root, host, lateMs = 300, stale = 'error', failing } = JSON.parse(process.env.AURORA_TEST_DISK);

os.hostname = () => host;
const { readFileSync, readlinkSync, existsSync, statSync, readdirSync, openSync } = fs;

const isShared = (name) => typeof name === 'string' && path.resolve(name).startsWith(root + path.sep);
const failure = (code, name) =>
  Object.assign(new Error(`${code}: ${name}`), { code, path: name, errno: -1, syscall: 'open' });

/** By path: what a lookup found and when. */
const names = new Map();
const listings = new Map();
const contents = new Map();
const isFresh = (entry) => entry !== undefined && performance.now() - entry.at < lateMs;

function lookUp(name) {
  const known = names.get(name);
  if (isFresh(known)) return known;
  const stat = statSync(name, { bigint: true, throwIfNoEntry: false });
  const entry = { at: performance.now(), stat, ino: stat?.ino };
  names.set(name, entry);
  return entry;
}

/** With `nocto`, a name that was found leads to the same file for a while, whatever happens in its folder. */
const isHeld = (name) =>
  stale === 'content' && names.get(name)?.stat !== undefined && isFresh(names.get(name));

/** This process has changed something in the folder of these names. */
function changed(...all) {
  for (const each of all) {
    if (!isShared(each)) continue;
    const name = path.resolve(each);
    const folder = path.dirname(name);
    listings.delete(folder);
    for (const known of [names, contents])
      for (const key of known.keys())
        if (key === name || key.startsWith(name + path.sep) || (path.dirname(key) === folder && !isHeld(key)))
          known.delete(key);
  }
}

function read(name, action) {
  const full = path.resolve(name);
  const { stat, ino } = lookUp(full);
  if (!stat) throw failure('ENOENT', name);
  const now = statSync(full, { bigint: true, throwIfNoEntry: false });
  if (now?.ino === ino) return action();
  const kept = contents.get(full);
  if (stale === 'content' && kept?.ino === ino) return kept.bytes;
  names.delete(full);
  throw failure('ESTALE', name);
}

fs.readFileSync = (name, options) => {
  if (name === '/proc/sys/kernel/random/boot_id') return `boot-of-${host}`;
  if (!isShared(name)) return readFileSync(name, options);
  const encoding = typeof options === 'string' ? options : options?.encoding;
  const bytes = read(name, () => {
    const found = readFileSync(name);
    contents.set(path.resolve(name), {
      bytes: found,
      ino: statSync(name, { bigint: true, throwIfNoEntry: false })?.ino,
    });
    return found;
  });
  return encoding ? bytes.toString(encoding) : Buffer.from(bytes);
};
fs.existsSync = (name) => (isShared(name) ? lookUp(path.resolve(name)).stat !== undefined : existsSync(name));
fs.statSync = (name, options) => {
  if (!isShared(name)) return statSync(name, options);
  if (lookUp(path.resolve(name)).stat === undefined) {
    if (options?.throwIfNoEntry === false) return undefined;
    throw failure('ENOENT', name);
  }
  return statSync(name, options);
};
fs.readdirSync = (name, options) => {
  if (!isShared(name) || options?.recursive) return readdirSync(name, options);
  const key = path.resolve(name);
  const known = listings.get(key);
  const entries = isFresh(known) ? known.entries : readdirSync(name, { withFileTypes: true });
  if (!isFresh(known)) listings.set(key, { at: performance.now(), entries });
  return options?.withFileTypes ? entries : entries.map((e) => e.name);
};
fs.openSync = (name, flags, ...rest) => {
  if (!isShared(name)) return openSync(name, flags, ...rest);
  if (flags !== undefined && flags !== 'r' && flags !== 'r+') {
    const fd = openSync(name, flags, ...rest);
    changed(name);
    return fd;
  }
  return read(name, () => openSync(name, flags, ...rest));
};
for (const call of [
  'writeFileSync',
  'renameSync',
  'rmSync',
  'unlinkSync',
  'mkdirSync',
  'linkSync',
  'truncateSync',
]) {
  const real = fs[call];
  fs[call] = (...args) => {
    try {
      if (call === 'renameSync' && failing?.codes.length > 0 && new RegExp(failing.pattern).test(args[1]))
        throw failure(failing.codes.shift(), args[1]);
      return real(...args);
    } finally {
      changed(...args.filter((arg) => typeof arg === 'string').slice(0, call === 'writeFileSync' ? 1 : 2));
    }
  };
}
fs.readlinkSync = (name, ...rest) =>
  name === '/proc/self/ns/pid'
    ? `pid:[${[...host].reduce((n, c) => n + c.charCodeAt(0), 1)}]`
    : readlinkSync(name, ...rest);

const { readFile, open } = fs.promises;
const later = (name, action) => {
  try {
    return read(name, action);
  } catch (e) {
    return Promise.reject(e);
  }
};
fs.promises.readFile = (name, ...rest) =>
  isShared(name) ? later(name, () => readFile(name, ...rest)) : readFile(name, ...rest);
fs.promises.open = (name, flags = 'r', ...rest) =>
  isShared(name) && flags === 'r'
    ? later(name, () => open(name, flags, ...rest))
    : open(name, flags, ...rest);
