/**
 * Preloaded (`node --require`) into the program to send its own process a signal at an exact moment: before
 * or after the n-th rename to a matching path. AURORA_TEST_KILL is JSON: {pattern, nth, when, signal}.
 */
const fs = require('node:fs');

const { pattern, nth = 1, when = 'before', signal = 'SIGKILL' } = JSON.parse(process.env.AURORA_TEST_KILL);
const wanted = new RegExp(pattern);
const rename = fs.renameSync;
let seen = 0;

fs.renameSync = (from, to) => {
  const isIt = wanted.test(String(to).replaceAll('\\', '/')) && ++seen === nth;
  if (isIt && when === 'before') process.kill(process.pid, signal);
  rename(from, to);
  if (isIt && when === 'after') process.kill(process.pid, signal);
};
