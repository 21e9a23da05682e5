import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, say } from '../console.mjs';
import { ROOT, runNode } from '../run.mjs';
import { CLI } from './study.mjs';

/** All runs are beside each other: `aurora nonlinearity` looks there for the run that trained the head alone. */
const RUNS = join(ROOT, '.cache/study-linear');

/** The folder of a run, whether or not it has been trained. @param {string} name */
export const runFolder = (name) => join(RUNS, name);

/** @param {string} name */
export const isTrained = (name) => existsSync(join(runFolder(name), 'result.json'));

/**
 * Trains a run to its end, unless that has been done. One that was interrupted is trained again: it takes a minute or two.
 *
 * @param {import('./linear.mjs').Planned} run
 * @param {string} place for display
 * @returns {string} its folder
 */
export function trainedRun({ name, settings, experiment }, place) {
  const folder = runFolder(name);
  if (isTrained(name)) return folder;
  say(`${place}: ${name}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const set = settings.flatMap((setting) => ['--set', setting]);
  const args = ['train', `demo/${experiment}.aurora.json`, '--device', 'cpu', '--run', folder, ...set];
  const code = runNode(CLI, args);
  // A run that diverged has a result, too.
  if (!isTrained(name)) throw new Failure(`The run "${name}" ended with ${code}.`);
  return folder;
}
