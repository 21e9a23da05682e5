import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { COMMONSENSE } from '../../src/recipes/paper-data';
import { png } from '../png';
import type { Lab } from './lab';

/** Folders of small random models in a lab, by the ids of the paper's. */
export const MODELS: Record<string, string> = {
  'roberta-base': 'roberta',
  'roberta-large': 'roberta',
  'vit-base': 'vit',
  'vit-large': 'vit',
  'llama3-8b': 'llama',
  sdxl: 'sdxl',
};
/** GLUE’s folders, by the paper’s ids. */
export const GLUE_FOLDERS: Record<string, string> = {
  'sst-2': 'SST-2',
  mrpc: 'MRPC',
  cola: 'CoLA',
  qnli: 'QNLI',
  rte: 'RTE',
  'sts-b': 'STS-B',
};
/** The number of labels of each image data set. */
export const CLASSES: Record<string, number> = {
  'oxford-pets': 37,
  'stanford-cars': 196,
  'cifar-10': 10,
  dtd: 47,
  eurosat: 10,
  'fgvc-aircraft': 100,
  resisc45: 45,
  'cifar-100': 100,
};
/** The folders of LLM-Adapters, by the paper's names of the sets. */
const TESTS: Record<string, string> = {
  siqa: 'social_i_qa',
  'arc-e': 'ARC-Easy',
  'arc-c': 'ARC-Challenge',
  obqa: 'openbookqa',
};

/** With as many positions as the paper's RoBERTas, whose settings a model with fewer is refused. */
function lengthen(folder: string, positions: number): void {
  const path = join(folder, 'model.safetensors');
  const file = readFileSync(path);
  const end = 8 + Number(file.readBigUInt64LE());
  type Entry = { shape: number[]; data_offsets: [number, number] };
  const header = JSON.parse(file.toString('utf8', 8, end)) as Record<string, Entry>;
  const entry = Object.entries(header).find(([name]) => name.endsWith('position_embeddings.weight'))![1];
  const [rows, width] = entry.shape as [number, number];
  const own = file.subarray(end + entry.data_offsets[0], end + entry.data_offsets[1]);
  const longer = Buffer.alloc(positions * (own.length / rows));
  for (let at = 0; at < longer.length; at += own.length) own.copy(longer, at);
  const data = Buffer.concat([file.subarray(end), longer]);
  entry.shape = [positions, width];
  entry.data_offsets = [data.length - longer.length, data.length];
  const bytes = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(bytes.length));
  writeFileSync(path, Buffer.concat([length, bytes, data]));
  const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as object;
  writeFileSync(
    join(folder, 'config.json'),
    JSON.stringify({ ...config, max_position_embeddings: positions }),
  );
}

/** Small models of the paper's families, in the folder `models` of a lab. */
export function writeModels(lab: Lab): void {
  for (const name of ['roberta', 'vit', 'llama'])
    cpSync(resolve('test/fixtures/hf', name), lab.path(`models/${name}`), { recursive: true });
  lengthen(lab.path('models/roberta'), 514);
  cpSync(resolve('test/fixtures/diffusers/sdxl'), lab.path('models/sdxl'), { recursive: true });
  for (const name of ['tokenizer.json', 'tokenizer_config.json'])
    for (const model of ['roberta', 'llama']) lab.write(`models/${model}/${name}`, lab.read(name));
  const size = { height: 24, width: 24 };
  lab.write(
    'models/vit/preprocessor_config.json',
    JSON.stringify({ image_processor_type: 'ViTImageProcessor', size }),
  );
}

/** An image data set with one image of each label in each split, in a folder of its id. */
export function writeImages(lab: Lab, id: string): void {
  for (let label = 0; label < CLASSES[id]!; label++)
    for (const split of ['train', 'validation'])
      lab.write(
        `${id}/${split}/class ${label}/${split}.png`,
        png(24, 24, (x, y) => [label, (x * 7 + label) % 256, (y * 13) % 256]),
      );
}

/** Commonsense170K with a few rows, and its eight tests; returns their names. */
export function writeCommonsense(lab: Lab): string[] {
  const rows = resolve('test/fixtures/recipes/commonsense/commonsense_170k.json');
  lab.write('commonsense/commonsense_170k.json', readFileSync(rows));
  const names = COMMONSENSE.map(({ id }) => id);
  for (const name of names)
    lab.write(`commonsense/dataset/${TESTS[name] ?? name}/test.json`, readFileSync(rows));
  return names;
}

/** Four images of a subject in the folder `dog`. */
export function writeSubject(lab: Lab): void {
  for (let i = 0; i < 4; i++)
    lab.write(
      `dog/${i}.png`,
      png(36, 36, (x, y) => [40 * i, (x * y) % 255, 200 - 20 * i]),
    );
}
