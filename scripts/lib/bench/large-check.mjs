import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, say } from '../console.mjs';
import { ROOT } from '../run.mjs';
import { aurora, evaluationsOf, runIn, stepsOf } from './large-run.mjs';

/** The tolerance of losses, of the change of the adapter's tensors, and of the tensors themselves. */
const ALLOWED = 1e-3;
const PIECES = { the: [5], cat: [6], played: [8, 10], ',': [17], unaffable: [11, 12, 13] };
const START = 2;
const [RATE, EPSILON] = [1, 1];

/**
 * Compares two steps of \`aurora train\` with the same in PyTorch, in float64, on the dequantized weights.
 *
 * Adam's steps have any sign where a gradient is smaller than the error of float32. With an epsilon of 1, they are
 * proportional to the gradients.
 *
 * @param experiment of two steps on one text, at a constant learning rate and without weight decay and clipping
 * @param texts by name: those of the experiment
 */
export function check(folder, experiment, texts, length) {
  const run = (name, rate) => {
    const runs = join(folder, name);
    const set = { learningRate: rate, epsilon: EPSILON };
    const args = Object.entries(set).flatMap(([key, value]) => ['--set', `training.${key}=${value}`]);
    aurora(folder, ['train', experiment, '--out', runs, ...args]);
    return runIn(runs);
  };
  // No run saves an adapter's initial values: this one leaves them as they were.
  const start = run('start', 1e-30);
  const end = run('end', RATE);
  const ids = (text) => [START, ...text.split(' ').flatMap((word) => PIECES[word])].slice(0, length);
  const tokens = join(folder, 'tokens.json');
  writeFileSync(
    tokens,
    JSON.stringify(Object.fromEntries(Object.entries(texts).map(([k, v]) => [k, ids(v)]))),
  );
  const { status, stdout, stderr } = spawnSync(
    process.env.PYTHON ?? '/usr/bin/python3',
    [
      join(ROOT, 'scripts/lib/bench/llama_steps.py'),
      join(folder, 'quantized'),
      ...[start, end].map((r) => join(r, 'adapter/last')),
      tokens,
      join(ROOT, 'src/exports'),
      String(RATE),
      String(EPSILON),
    ],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Failure(`PyTorch: ${stderr}`);
  const theirs = JSON.parse(stdout);
  const ours = [...stepsOf(end), ...evaluationsOf(end).map((e) => e.metrics)].map((e) => e.loss);
  const gaps = {
    ...Object.fromEntries(
      ['loss of step 1', 'loss of step 2', 'loss of a new text'].map((name, i) => [
        name,
        Math.abs(ours[i] - theirs.losses[i]) / theirs.losses[i],
      ]),
    ),
    ...Object.fromEntries(
      Object.entries(theirs.ofTheChange).map(([k, v]) => [`change of ${k}, all layers`, v]),
    ),
  };
  for (const [name, gap] of Object.entries(gaps)) say(`${name}: ${gap.toExponential(1)} from PyTorch's`);
  const wrong = Object.entries(gaps).filter(([, gap]) => !(gap < ALLOWED));
  if (wrong.length > 0) throw new Failure(`Above ${ALLOWED}: ${wrong.map(([name]) => name).join(', ')}.`);
}
