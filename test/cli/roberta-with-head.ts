import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readHeader } from '../../src/architectures/folder/weight-files';
import { writeTensors } from '../../src/architectures/folder/weights';
import type { Lab } from './lab';

/** Makes the folder `roberta` in a lab: RoBERTa for three labels, with a head of two layers. */
export function robertaWithHead(lab: Lab): void {
  const bert = resolve('test/fixtures/hf/bert');
  const folder = lab.path('roberta');
  mkdirSync(folder);
  for (const name of ['tokenizer.json', 'tokenizer_config.json'])
    copyFileSync(lab.path(name), join(folder, name));
  const values = (count: number) => Float32Array.from({ length: count }, (_, i) => Math.sin(i) / 4);
  const head = (name: string, dims: number[]) => ({
    name,
    dtype: 'F32',
    dims,
    data: () => new Uint8Array(values(dims.reduce((a, b) => a * b)).buffer),
  });
  writeTensors(join(folder, 'model.safetensors'), [
    ...[...readHeader(join(bert, 'model.safetensors')).values()]
      .filter((t) => t.name.startsWith('bert.'))
      .map((t) => ({ ...t, name: t.name.replace(/^bert\./, 'roberta.') })),
    head('classifier.dense.weight', [32, 32]),
    head('classifier.dense.bias', [32]),
    head('classifier.out_proj.weight', [3, 32]),
    head('classifier.out_proj.bias', [3]),
  ]);
  const config = {
    ...(JSON.parse(readFileSync(join(bert, 'config.json'), 'utf8')) as object),
    model_type: 'roberta',
    architectures: ['RobertaForSequenceClassification'],
    id2label: { 0: 'pets', 1: 'neither', 2: 'other' },
  };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
}
