// Loaded into `aurora train` with --require: writes, when it ends, how long each call of ONNX Runtime took, as lines of
// [start in milliseconds since 1970, milliseconds, whether it was a training step] to the file of AURORA_BENCH_TIMES.
const { writeFileSync } = require('node:fs');
const { isMainThread } = require('node:worker_threads');
const { InferenceSession } = require('onnxruntime-node');

/** The input that only graphs of steps have. */
const OF_A_STEP = 'aurora.gradScale';
const calls = [];
const { run } = InferenceSession.prototype;
const now = () => performance.timeOrigin + performance.now();

InferenceSession.prototype.run = async function (feeds, ...rest) {
  const start = now();
  try {
    return await run.call(this, feeds, ...rest);
  } finally {
    calls.push([start, now() - start, OF_A_STEP in feeds]);
  }
};

// Workers load this too.
if (isMainThread)
  process.on('exit', () => writeFileSync(process.env.AURORA_BENCH_TIMES, JSON.stringify(calls)));
