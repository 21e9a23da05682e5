import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { ModelSource } from '../architectures/model-source';
import { AuroraError } from '../base/errors';
import { writeAtomic } from '../files/atomic';
import { ownFile } from '../files/contained';
import { modelPath } from '../files/model-path';

const TOKENIZER = 'tokenizer.json';
/** The files of a tokenizer without it. */
const OLD_TOKENIZER = ['vocab.txt', 'vocab.json', 'merges.txt', 'added_tokens.json'];
/** The files that prepare a model's inputs and describe it. */
const NAMES = [
  TOKENIZER,
  'tokenizer_config.json',
  'special_tokens_map.json',
  'preprocessor_config.json',
  'config.json',
  'generation_config.json',
];

/** A file that is copied, before anything is written. */
export interface Companion {
  name: string;
  from: string;
  to: string;
}

/**
 * These files beside a model that are not beside another one yet.
 *
 * @throws AuroraError 'usage' if there are others of these names: those of another model
 */
export function companionsOf({ file }: ModelSource, out: string): Companion[] {
  const from = dirname(resolve(file));
  const to = dirname(resolve(out));
  if (from === to) return [];
  const isOld = ownFile(from, TOKENIZER) === undefined;
  return [...NAMES, ...(isOld ? OLD_TOKENIZER : [])].flatMap((name) => {
    const path = ownFile(from, name);
    if (path === undefined) return [];
    const target = join(to, name);
    if (!existsSync(target)) return [{ name, from: path, to: target }];
    if (readFileSync(target).equals(readFileSync(path))) return [];
    throw new AuroraError(
      'usage',
      `${target} exists already, and is not that of ${modelPath(file)}.`,
      'Choose another folder for --out: each model needs its own.',
    );
  });
}

export function copyCompanions(companions: readonly Companion[]): void {
  for (const { from, to } of companions) writeAtomic(to, readFileSync(from));
}
