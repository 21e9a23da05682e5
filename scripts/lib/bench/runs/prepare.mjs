import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { ROOT } from '../../run.mjs';
import { ensureUseLite } from '../../use-lite.mjs';
import { FOLDER as BENCH, prepareCase } from '../cases.mjs';

/** Experiments, runs and models of this benchmark; ignored by git. */
export const FOLDER = join(BENCH, 'runs');
export const AURORA = join(ROOT, 'dist', 'cli.cjs');
export const DEMO = join(ROOT, 'demo', 'debian-sections.aurora.json');
const DATA = join(ROOT, 'demo', 'data');

/** The demo's settings, but for what an experiment changes; paths are absolute. */
export function writeExperiment(name, { model, training, data, adapter, ...more }) {
  mkdirSync(FOLDER, { recursive: true });
  const path = join(FOLDER, `${name}.aurora.json`);
  const whole = {
    name,
    model: { output: 'last_hidden_state', ...model },
    task: { type: 'text-classification', head: 'linear', pooling: 'mean' },
    data: {
      train: join(DATA, 'debian-sections-train.jsonl.gz'),
      validation: join(DATA, 'debian-sections-validation.jsonl.gz'),
      textColumn: 'text',
      labelColumn: 'label',
      ...data,
    },
    adapter: { method: 'aurora', rank: 2, alpha: 4, targetModules: ['query', 'value'], ...adapter },
    training: { epochs: 1, batchSize: 32, learningRate: 2e-3, schedule: 'linear', seed: 1, ...training },
    ...more,
  };
  writeFileSync(path, JSON.stringify(whole, null, 2));
  return path;
}

/** The path of an encoder with random weights, such as 6x384, with the demo's tokenizer. */
export function encoder(size) {
  const folder = join(FOLDER, size);
  const path = join(folder, 'model.onnx');
  mkdirSync(folder, { recursive: true });
  prepareCase(`${size}:1x8`);
  copyFileSync(join(BENCH, `${size}.onnx`), path);
  copyFileSync(join(ensureUseLite(), 'tokenizer.json'), join(folder, 'tokenizer.json'));
  return path;
}

export const useLite = () => join(ensureUseLite(), 'model.onnx');

/** Some of the demo's rows, in a file of their own. @param {'train' | 'validation'} part */
export function someRows(part, count) {
  mkdirSync(FOLDER, { recursive: true });
  const path = join(FOLDER, `${part}-${count}.jsonl`);
  const all = gunzipSync(readFileSync(join(DATA, `debian-sections-${part}.jsonl.gz`))).toString();
  writeFileSync(path, `${all.split('\n').slice(0, count).join('\n')}\n`);
  return path;
}

/** The only run in a folder of runs; undefined before it has one. */
export function onlyRun(folder) {
  const [run] = existsSync(folder) ? readdirSync(folder) : [];
  return run === undefined ? undefined : join(folder, run);
}

/** The rows of a run's curve as objects. */
export function readCurve(run) {
  const { columns } = JSON.parse(readFileSync(join(run, 'scalars.json'), 'utf8'));
  const bytes = readFileSync(join(run, 'scalars.bin'));
  const width = columns.length * 8;
  return Array.from({ length: Math.floor(bytes.length / width) }, (_, i) =>
    Object.fromEntries(columns.map((name, c) => [name, bytes.readDoubleLE(i * width + c * 8)])),
  );
}
