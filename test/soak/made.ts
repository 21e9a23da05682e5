import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Lab } from '../cli/lab';
import { subjects, type Subject } from './subjects';

/**
 * The environment variable with the folder of the finished run and sweep, for the thread that reads mutants.
 */
const MADE = 'AURORA_SOAK_MADE';

/** A finished run and a finished sweep of the small model, trained only once. */
export function makeSubjects(): Subject[] {
  const folder = (process.env[MADE] ??= trained());
  const sweeps = join(folder, '.aurora/sweeps/sweep');
  return subjects(only(join(folder, '.aurora/runs/tiny')), only(sweeps));
}

function trained(): string {
  const lab = new Lab({ training: { activationsEvery: 24 } });
  const sweep = {
    ...(JSON.parse(readFileSync(lab.experiment, 'utf8')) as object),
    sweep: { type: 'grid', parameters: { 'training.seed': [1, 2] } },
  };
  lab.write('sweep.aurora.json', JSON.stringify(sweep));
  process.once('exit', () => lab.remove());
  must(lab, 'train', lab.experiment);
  must(lab, 'errors', only(lab.path('.aurora/runs/tiny')));
  must(lab, 'sweep', lab.path('sweep.aurora.json'), '--set', 'training.epochs=1');
  return lab.folder;
}

function must(lab: Lab, ...args: string[]): void {
  const { code, err } = lab.run(...args);
  if (code !== 0) throw new Error(`aurora ${args.join(' ')} ended with ${code}:\n${err}`);
}

function only(folder: string): string {
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => !name.startsWith('.')) : [];
  if (names.length === 0) throw new Error(`${resolve(folder)} is empty.`);
  return join(folder, names.sort()[0]!);
}
