import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { AuroraError } from '../base/errors';
import { experimentRuns } from '../runs/layout';
import { runNumbers } from '../runs/numbers';
import { tableFolders } from '../runs/runs-table';

/**
 * The folder of a run that the command line names: by its path, or by its number, as `#12` (in the current folder and those
 * below) or `sst2#12`, where `sst2` is an experiment or the path of its file. A path is returned as it is.
 *
 * @throws AuroraError 'run' if no run has that number, 'usage' if several have
 */
export function runFolder(given: string): string {
  const named = /^(.*)#([1-9]\d{0,5})$/.exec(given);
  if (!named || existsSync(given)) return given;
  const [, of, number] = named;
  const found = homesOf(of).flatMap((home) =>
    [...runNumbers(home)]
      .filter(([, n]) => n === Number(number))
      .map(([name]) => join(home, name))
      .filter((folder) => existsSync(folder)),
  );
  if (found.length === 1) return found[0];
  if (found.length === 0)
    throw new AuroraError(
      'run',
      of === '' ? `No run here has the number ${number}.` : `${of} has no run with the number ${number}.`,
      'List the runs with `aurora runs`. A deleted run keeps its number until it is restored.',
    );
  const names = found.map((run) => `${basename(dirname(run))}#${number}`);
  throw new AuroraError(
    'usage',
    `${found.length} runs have the number ${number}.`,
    new Set(names).size === names.length
      ? `Name the experiment, too: ${names.join(' or ')}.`
      : `Give the path of one of them: ${found.join(', ')}.`,
  );
}

/** The folders in which runs with a number may be. */
function homesOf(experiment: string): string[] {
  const homes = homesHere();
  if (experiment === '') return homes;
  if (/[\\/]|\.json$/.test(experiment)) return [experimentRuns(resolve(experiment))];
  return homes.filter((home) => basename(home) === experiment);
}

function homesHere(): string[] {
  try {
    return [...new Set(tableFolders([resolve('.')]).map((run) => dirname(run)))];
  } catch (e) {
    if (e instanceof AuroraError) return [];
    throw e;
  }
}

/** The value of --targets: names or path endings, or all-linear. */
export function targetsOf(given: string | undefined): string | string[] | undefined {
  if (given === undefined || given === 'all-linear') return given;
  const names = given.split(/[\s,]+/).filter((name) => name !== '');
  if (names.length === 0)
    throw new AuroraError('usage', '--targets does not name a module.', 'For example: --targets query,value');
  return names;
}
