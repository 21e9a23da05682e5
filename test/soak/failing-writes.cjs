/**
 * Preloaded (`node --require`) into the program to make its n-th call that writes below a folder fail, and all later ones too
 * unless `once` is set, as on a full or failing disk. AURORA_TEST_WRITES is JSON: {under, nth, code, once, count}. `count`
 * is a file that gets the number of calls at the end.
 */
const fs = require('node:fs');
const { isMainThread } = require('node:worker_threads');

const {
  under,
  nth = Infinity,
  code = 'ENOSPC',
  once = false,
  count,
} = JSON.parse(process.env.AURORA_TEST_WRITES);
const { writeFileSync } = fs;
const ERRNO = { ENOSPC: -28, EIO: -5 };
/** The paths of open files. */
const opened = new Map();
let calls = 0;

/** @throws the system's error if it is this call's turn */
function mayFail(syscall, path) {
  if (typeof path === 'number') path = opened.get(path);
  if (path === undefined || !String(path).startsWith(under)) return;
  calls++;
  if (once ? calls !== nth : calls < nth) return;
  throw Object.assign(new Error(`${code}: no luck, ${syscall} '${path}'`), {
    ...{ errno: ERRNO[code], code, syscall },
    path: String(path),
  });
}

const { O_WRONLY, O_RDWR, O_CREAT } = fs.constants;
const writes = (flags) =>
  typeof flags === 'number'
    ? (flags & (O_WRONLY | O_RDWR | O_CREAT)) !== 0
    : /[wa+]/.test(String(flags ?? 'r'));
/** Which of a function's arguments is the path that is written; rename and its like write the second one. */
const TARGETS = {
  ...{
    write: 0,
    writev: 0,
    writeFile: 0,
    appendFile: 0,
    fsync: 0,
    fdatasync: 0,
    ftruncate: 0,
    mkdir: 0,
    mkdtemp: 0,
  },
  ...{ rename: 1, link: 1, symlink: 1, copyFile: 1, cp: 1 },
};

for (const [name, at] of Object.entries(TARGETS)) {
  const sync = fs[`${name}Sync`];
  fs[`${name}Sync`] = (...args) => {
    mayFail(name, args[at]);
    return sync(...args);
  };
  const later = fs[name];
  fs[name] = (...args) => {
    try {
      mayFail(name, args[at]);
    } catch (e) {
      const done = args.at(-1);
      return void process.nextTick(() => done(e));
    }
    return later(...args);
  };
  const promised = fs.promises[name];
  if (promised)
    fs.promises[name] = async (...args) => {
      mayFail(name, args[at]);
      return promised(...args);
    };
}

const { openSync, open, closeSync } = fs;
fs.openSync = (path, flags, ...rest) => {
  if (writes(flags)) mayFail('open', path);
  const fd = openSync(path, flags, ...rest);
  if (writes(flags)) opened.set(fd, String(path));
  return fd;
};
fs.closeSync = (fd) => {
  opened.delete(fd);
  return closeSync(fd);
};
fs.open = (path, flags, ...rest) => {
  const done = rest.at(-1);
  if (typeof flags === 'function' || !writes(flags)) return open(path, flags, ...rest);
  try {
    mayFail('open', path);
  } catch (e) {
    return void process.nextTick(() => done(e));
  }
  return open(path, flags, ...rest.slice(0, -1), (e, fd) => {
    if (!e) opened.set(fd, String(path));
    done(e, fd);
  });
};
const { open: openLater } = fs.promises;
fs.promises.open = async (path, flags, ...rest) => {
  if (!writes(flags)) return openLater(path, flags, ...rest);
  mayFail('open', path);
  const file = await openLater(path, flags, ...rest);
  for (const name of ['write', 'writev', 'writeFile', 'appendFile', 'sync', 'datasync', 'truncate']) {
    const method = file[name].bind(file);
    file[name] = async (...args) => {
      mayFail(name, path);
      return method(...args);
    };
  }
  return file;
};

if (isMainThread && count !== undefined) process.on('exit', () => writeFileSync(count, String(calls)));
