import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, say } from '../console.mjs';
import { ROOT } from '../run.mjs';
import { REFINE_STEPS, TASKS } from './linear.mjs';
import { CLI, resultOf } from './study.mjs';

/** Built from bench/ by the caller. */
const PLAIN = join(ROOT, '.cache/bench/plain-fit.cjs');

/** More than any of the data sets has: all of them are measured. */
const EXAMPLES = '1000000';

/**
 * A trained run's record in the study: its last evaluation, and for AuroRA, the rows of an export of it that is refined, the row
 * without biases, and what `aurora nonlinearity` finds. Layers are replaced one by one for the first seed at the demo's rate alone:
 * that takes an evaluation for each.
 *
 * @param {import('./linear.mjs').Planned} run
 * @param {string} folder
 */
export function measured({ name, task, method, rank, rate, seed }, folder) {
  const { outcome, last, steps, seconds } = resultOf(folder);
  const of = { name, task, method, rank, rate, seed, outcome, steps, seconds: Math.round(seconds) };
  if (method !== 'aurora' || outcome === 'diverged') return { ...of, rows: { trained: last } };
  say(`${name}: measuring`);
  const { metrics, refinement } = exported(folder);
  const { trained, fitted, paper, removed, refined } = metrics;
  const plain = JSON.parse(lastLine(output(PLAIN, [folder])));
  return {
    ...of,
    rows: { trained, fitted, plain, paper, removed, refined },
    refinement: { steps: refinement.steps, best: refinement.best, seconds: Math.round(refinement.seconds) },
    nonlinearity: nonlinearity(folder, seed === 1 && rate === TASKS[task].rates[0]),
  };
}

/** The record of an export whose files are not needed. */
function exported(folder) {
  const out = join(folder, 'export', 'study');
  const args = ['--as', 'onnx-merged', '--at', 'last', '--refine', String(REFINE_STEPS), '--accept-drop'];
  rmSync(out, { recursive: true, force: true });
  const lines = output(CLI, ['export', folder, ...args, '--json', '--out', out]);
  rmSync(out, { recursive: true, force: true });
  return JSON.parse(lastLine(lines)).record;
}

/** Without what the export has, and the values of each fit. */
function nonlinearity(folder, layers) {
  const args = ['--at', 'last', '--examples', EXAMPLES, ...(layers ? [] : ['--no-layers'])];
  const { file } = JSON.parse(lastLine(output(CLI, ['nonlinearity', folder, ...args, '--json'])));
  const found = JSON.parse(readFileSync(file, 'utf8'));
  const { examples, tokens, lost, gain, share, headOnly, headGain, headShare } = found;
  return {
    ...{ examples, tokens, lost, gain, share, headGain, headShare, headLoss: headOnly?.metrics.loss },
    layers: found.layers.map(({ path, r2, fallback, rise }) => ({ path, r2, fallback, rise })),
  };
}

function output(program, args) {
  const r = spawnSync(process.execPath, [program, ...args], {
    ...{ cwd: ROOT, encoding: 'utf8', maxBuffer: 2 ** 28, stdio: ['ignore', 'pipe', 'inherit'] },
  });
  if (r.status === 0) return r.stdout;
  throw new Failure(`${args.join(' ')} ended with ${r.status}.`, r.stdout.slice(-1000));
}

const lastLine = (text) => text.trim().split('\n').at(-1);

/** The records of all runs that were measured before. @param {string} file @returns {Map<string, object>} */
export const keptRecords = (file) =>
  new Map(existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).map((r) => [r.name, r]) : []);
