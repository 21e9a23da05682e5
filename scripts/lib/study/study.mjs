import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Failure, say } from '../console.mjs';
import { isDone, ROOT, runNode } from '../run.mjs';

export const CLI = join(ROOT, 'dist/cli.cjs');

const SPAM = join(ROOT, '.cache/spam-assassin');

/** The studies' data sets, each as the demo's experiment with changed settings. */
export const DATA = {
  'Debian sections': [],
  SpamAssassin: [
    `data.train=${join(SPAM, 'train.jsonl')}`,
    `data.validation=${join(SPAM, 'validation.jsonl')}`,
  ],
};

export function ensureSpam() {
  if (!existsSync(join(SPAM, 'train.jsonl'))) runNode(join(ROOT, 'scripts/spam-data.mjs'));
}

/**
 * Writes the first rows of a data set of the demo.
 * @param {string} name of a file in demo/data, without .jsonl.gz
 * @param {string} out
 * @param {number} rows
 */
export function writeFirstRows(name, out, rows) {
  const text = gunzipSync(readFileSync(join(ROOT, 'demo/data', `${name}.jsonl.gz`))).toString('utf8');
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(out, `${text.split('\n').slice(0, rows).join('\n')}\n`);
}

/**
 * The folder of a run that is trained to completion once and then kept under `.cache/<study>`.
 * @param {string} study
 * @param {string} name of the run, for display
 * @param {string[]} settings KEY=VALUE, of the experiment
 * @param {string} [experiment] in demo/
 */
export function keptRun(study, name, settings, experiment = 'debian-sections') {
  const out = join(ROOT, '.cache', study, name.replace(/[^\w=+.]+/g, '-'));
  const found = () => {
    const [run] = existsSync(out) ? readdirSync(out) : [];
    return run && existsSync(join(out, run, 'result.json')) ? join(out, run) : undefined;
  };
  const before = found();
  if (before) return before;
  rmSync(out, { recursive: true, force: true });
  say(name);
  const set = settings.flatMap((s) => ['--set', s]);
  const args = ['train', `demo/${experiment}.aurora.json`, '--device', 'cpu', '--out', out, ...set];
  if (!isDone(runNode(CLI, args))) throw new Failure(`The run "${name}" failed.`);
  return found();
}

export const resultOf = (run) => JSON.parse(readFileSync(join(run, 'result.json'), 'utf8'));

/** Puts text between two markers of a page; the text around them is written by hand. */
export function fillPage(page, begin, end, text) {
  mkdirSync(dirname(page), { recursive: true });
  const before = existsSync(page) ? readFileSync(page, 'utf8') : `${begin}\n${end}\n`;
  const [head, rest] = before.split(begin);
  writeFileSync(page, `${head}${begin}\n\n${text}\n\n${end}${rest.split(end)[1]}`);
  say(`Wrote ${page}`);
}

/** Mean ± sample standard deviation. */
export function spread(values, digits = 1, signed = false) {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const deviation = Math.sqrt(
    values.reduce((s, v) => s + (v - mean) ** 2, 0) / Math.max(1, values.length - 1),
  );
  const sign = signed ? (mean < 0 ? '−' : '+') : mean < 0 ? '−' : '';
  return `${sign}${Math.abs(mean).toFixed(digits)} ± ${deviation.toFixed(digits)}`;
}
