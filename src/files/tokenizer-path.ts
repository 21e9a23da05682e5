import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { inputExists } from './inputs/open';

/** The names of the file by which a tokenizer is read, the first of which that is there: the others are of older folders. */
export const TOKENIZER_NAMES = ['tokenizer.json', 'vocab.txt', 'vocab.json'] as const;

/** The tokenizer beside a model's file; tokenizer.json if there is none. */
export function tokenizerBeside(model: string): string {
  const paths = pathsBeside(model);
  return paths.find((path) => inputExists(path, 'tokenizer')) ?? paths[0]!;
}

/** The tokenizer beside a model's file, for the editor, which must not wait for a disk; undefined if there is none. */
export async function tokenizerBesideLater(model: string): Promise<string | undefined> {
  for (const path of pathsBeside(model)) if ((await stat(path).catch(() => undefined))?.isFile()) return path;
  return undefined;
}

const pathsBeside = (model: string): string[] => TOKENIZER_NAMES.map((name) => join(dirname(model), name));
