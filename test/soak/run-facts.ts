import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { readRun } from '../read-run';
import { clean } from './campaign';

/** Numbers of a run that do not depend on the clock or the machine, and the bits of its adapters. */
export function resultOf(folder: string): string {
  const { scalars, events } = readRun(folder);
  const curve = ['step', 'loss', 'learningRate', 'gradientNorm', 'examples', 'tokens'].map((c) => [
    ...scalars.column(c)!,
  ]);
  const evaluations = events.flatMap((e) =>
    e.kind === 'evaluation' ? [{ step: e.step, ...e.metrics }] : [],
  );
  return JSON.stringify({
    curve,
    evaluations,
    adapters: ['best', 'last'].map((name) => adapterSum(folder, name)),
  });
}

const adapterSum = (folder: string, name: string): string =>
  sha256(join(folder, 'adapter', name, 'adapter_model.safetensors'));

export const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

/** Names that exist only while a process is writing. */
const TEMPORARY = /\.tmp$|-tmp$|^\.out-|^\.import-|^graph$|^export-|^study-/;

/** Leftovers of dead processes below a folder. */
export const leftovers = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
        TEMPORARY.test(path.split('/').at(-1)!),
      )
    : [];

/** Simulates that a day has passed, because recent files are not removed. */
export function ageLeftovers(folder: string): void {
  const then = new Date(Date.now() - 86_400_000);
  for (const path of leftovers(folder)) utimesSync(join(folder, path), then, then);
}

/** Expects a run to have finished with the right numbers and without leftovers. */
export function requireWhole(folder: string, result: string): void {
  const { status } = readRun(folder);
  clean(status?.state === 'finished', `${folder} is ${status?.state}, not finished`);
  clean(resultOf(folder) === result, `${folder} has different numbers than an uninterrupted run`);
  const left = leftovers(folder);
  clean(left.length === 0, `${folder} still contains ${left.join(', ')}`);
}

/** The only run below `runs`, or undefined if there is none yet. */
export function onlyRun(runs: string): string | undefined {
  if (!existsSync(runs)) return undefined;
  const names = readdirSync(runs).filter((name) => !name.startsWith('.'));
  clean(names.length < 2, `${runs} contains ${names.length} runs`);
  return names[0] === undefined ? undefined : join(runs, names[0]);
}
