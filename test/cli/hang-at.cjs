/**
 * Preloaded (`NODE_OPTIONS=--require …`) into a program and its children: the command named AURORA_TEST_HANG creates the file
 * AURORA_TEST_HANGS and then blocks, before it has read anything, as on a disk that does not respond.
 */
const { writeFileSync } = require('node:fs');

/** Then it ends, so that a failed test leaves no process. */
const MOST_MS = 300_000;

if (process.argv[2] === process.env.AURORA_TEST_HANG) {
  writeFileSync(process.env.AURORA_TEST_HANGS, '');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, MOST_MS);
  process.exit(1);
}
