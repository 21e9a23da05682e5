import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, say } from '../../console.mjs';
import { isDone, ROOT } from '../../run.mjs';
import {
  AURORA,
  encoder,
  FOLDER,
  onlyRun,
  readCurve,
  someRows,
  useLite,
  writeExperiment,
} from './prepare.mjs';

const PRELOAD = join(ROOT, 'scripts/lib/bench/runs/runtime-times.cjs');

/**
 * The part of a run's time that is not the runtime's: real runs of `aurora train`, whose calls of ONNX Runtime are
 * timed. From the begin of the first step to the last checkpoint.
 */
export function share({ threads, rounds }) {
  const cases = [
    {
      what: 'the demo, batch 32 × 48',
      experiment: writeExperiment('share-demo', {
        model: { path: useLite(), maxLength: 48 },
      }),
    },
    {
      what: '12 layers × 768, batch 16 × 32',
      experiment: writeExperiment('share-12x768', {
        model: { path: encoder('12x768'), maxLength: 32 },
        data: { train: someRows('train', 512), validation: someRows('validation', 64) },
        training: { batchSize: 16 },
      }),
    },
  ];
  return cases.map(({ what, experiment }) => ({
    what,
    rounds: Array.from({ length: rounds }, (_, i) => {
      say(`Share of a run, ${what}: ${i + 1} of ${rounds} …`);
      return timed(experiment, threads);
    }),
  }));
}

function timed(experiment, threads) {
  const out = mkdtempSync(join(FOLDER, 'out-'));
  try {
    const times = join(out, 'times.json');
    const runs = join(out, 'runs');
    const args = ['train', experiment, '--out', runs, '--device', 'cpu', '--threads', `${threads}`];
    const { status, stderr } = spawnSync(process.execPath, ['--require', PRELOAD, AURORA, ...args], {
      cwd: ROOT,
      encoding: 'utf8',
      env: { ...process.env, AURORA_BENCH_TIMES: times },
    });
    if (!isDone(status)) throw new Failure(`${experiment} could not be trained:\n${stderr}`);
    return split(onlyRun(runs), JSON.parse(readFileSync(times, 'utf8')));
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

const sum = (values) => values.reduce((a, b) => a + b, 0);

/** @param calls of the runtime: [start, milliseconds, whether it was a step] */
function split(run, calls) {
  const rows = readCurve(run);
  const events = readFileSync(join(run, 'events.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((l) => JSON.parse(l));
  const from = rows[0].time - 1000 * rows[0].seconds;
  const to = events.findLast(({ kind }) => kind === 'checkpoint').t;
  const within = calls.filter(([start, ms]) => start >= from - 1 && start + ms <= to + 1);
  const spent = (isStep) => sum(within.filter((call) => call[2] === isStep).map(([, ms]) => ms));
  const [inSteps, inOthers] = [spent(true), spent(false)];
  const steps = 1000 * sum(rows.map(({ seconds }) => seconds));
  // The time of the steps alone: evaluations of the model are not part of a step.
  const whole = to - from - inOthers;
  return {
    steps: rows.length,
    step: steps / rows.length,
    inStep: (steps - inSteps) / whole,
    between: (whole - steps) / whole,
    share: (whole - inSteps) / whole,
  };
}
