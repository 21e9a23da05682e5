import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { pipelineFiles } from '../../../src/trainer/inputs/pipeline-files';
import { scratchFolder } from '../../scratch';

const scratch = scratchFolder('pipeline-files');

it('a run on a pipeline depends on every file of its tokenizers, a word that was added to them too', () => {
  cpSync(join(import.meta.dirname, '../../fixtures/diffusers/sd'), scratch, { recursive: true });
  const added = join(scratch, 'tokenizer', 'added_tokens.json');
  const files = () =>
    pipelineFiles(scratch).filter(({ path }) => path.startsWith(join(scratch, 'tokenizer')));
  const before = files();
  writeFileSync(added, '{ "<dog>": 49408 }');
  expect(files()).toEqual(expect.arrayContaining([...before, { role: 'tokenizer', path: added }]));
});
