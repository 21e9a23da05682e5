import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { Lab } from '../cli/lab';
import { clean } from './campaign';
import { run } from './processes';
import { onlyRun, resultOf } from './run-facts';

/** Short enough for many trials and long enough for a fault to hit the run midway. */
const SETTINGS = { adapter: { dropout: 0.1 }, training: { epochs: 8, evaluateEvery: 20 } };

let made: Promise<{ lab: Lab; result: string }> | undefined;

/** The small model with its data, and the result of an uninterrupted run that is trained only once. */
export const labOfRuns = (): Promise<{ lab: Lab; result: string }> => (made ??= make());

async function make(): Promise<{ lab: Lab; result: string }> {
  const lab = new Lab(SETTINGS);
  process.once('exit', () => lab.remove());
  const { code, err } = await run(['train', lab.experiment, '--out', lab.path('alone')]);
  clean(code === 0, `an uninterrupted run ended with ${code}: ${err}`);
  return { lab, result: resultOf(onlyRun(lab.path('alone'))!) };
}

const FILES = [
  'model.onnx',
  'tokenizer.json',
  'tokenizer_config.json',
  'train.jsonl',
  'validation.jsonl',
  'tiny.aurora.json',
];

/**
 * Copies the lab's files to a folder that a trial may change.
 *
 * @returns the experiment's path
 */
export function copyLab(lab: Lab, folder: string): string {
  for (const name of FILES) cpSync(lab.path(name), join(folder, name));
  return join(folder, 'tiny.aurora.json');
}
