import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { readRun } from '../../src/runs/read';
import { clean } from './campaign';

/** Numbers of a run that depend on neither clock nor machine, and the bits of its adapters. */
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

/** Names that exist only while a process is in the middle of something. */
const TEMPORARY = /\.tmp$|-tmp$|^\.out-|^\.import-|^graph$|^export-|^study-/;

/** Leftovers of dead processes below a folder. */
export const leftovers = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
        TEMPORARY.test(path.split('/').at(-1)!),
      )
    : [];

/** Simulates a day passing: files that a living process may still need are not removed. */
export function ageLeftovers(folder: string): void {
  const then = new Date(Date.now() - 86_400_000);
  for (const path of leftovers(folder)) utimesSync(join(folder, path), then, then);
}

/** A run that has ended well, with the expected numbers and nothing left behind. */
export function requireWhole(folder: string, result: string): void {
  const { status } = readRun(folder);
  clean(status?.state === 'finished', `${folder} is ${status?.state}, not finished`);
  clean(resultOf(folder) === result, `${folder} has other numbers than a run that was left alone`);
  const left = leftovers(folder);
  clean(left.length === 0, `${folder} still holds ${left.join(', ')}`);
}

/** The only run below `runs`; undefined if there is none yet. */
export function onlyRun(runs: string): string | undefined {
  if (!existsSync(runs)) return undefined;
  const names = readdirSync(runs).filter((name) => !name.startsWith('.'));
  clean(names.length < 2, `${runs} holds ${names.length} runs`);
  return names[0] === undefined ? undefined : join(runs, names[0]);
}
