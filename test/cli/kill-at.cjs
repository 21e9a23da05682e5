/**
 * Preloaded (`node --require`) into the program to send its own process a signal at an exact moment: before
 * or after the n-th rename to a path that matches `pattern`, or the n-th write of text that matches `line`.
 * AURORA_TEST_KILL is JSON: {pattern, line, nth, when, signal}.
 */
const fs = require('node:fs');

const {
  pattern,
  line,
  nth = 1,
  when = 'before',
  signal = 'SIGKILL',
} = JSON.parse(process.env.AURORA_TEST_KILL);
let seen = 0;

/** Calls `action` with the signal before or after it, if it is the moment. */
function around(isMatch, action) {
  const isIt = isMatch && ++seen === nth;
  if (isIt && when === 'before') process.kill(process.pid, signal);
  const result = action();
  if (isIt && when === 'after') process.kill(process.pid, signal);
  return result;
}

const { renameSync, writeSync } = fs;
if (pattern !== undefined) {
  const wanted = new RegExp(pattern);
  fs.renameSync = (from, to) =>
    around(wanted.test(String(to).replaceAll('\\', '/')), () => renameSync(from, to));
}
if (line !== undefined) {
  const wanted = new RegExp(line);
  fs.writeSync = (fd, data, ...rest) =>
    around(wanted.test(Buffer.from(data).toString('utf8')), () => writeSync(fd, data, ...rest));
}
