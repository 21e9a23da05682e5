import { copyFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { diskError } from '../../files/atomic';
import { ownFile } from '../../files/contained';
import { modelFile } from '../../files/model-path';

/** What prepares a model's inputs and says what it is. */
const NAMES = [
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'preprocessor_config.json',
  'config.json',
  'generation_config.json',
];

/** Copies these files from beside a model to beside another. @returns the names copied */
export function copyCompanions(source: string, out: string): string[] {
  const from = dirname(modelFile(resolve(source)));
  const to = dirname(resolve(out));
  if (from === to) return [];
  return NAMES.filter((name) => {
    const path = ownFile(from, name);
    if (path === undefined) return false;
    try {
      copyFileSync(path, join(to, name));
    } catch (e) {
      throw diskError(join(to, name), e);
    }
    return true;
  });
}
