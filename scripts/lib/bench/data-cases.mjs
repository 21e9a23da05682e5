import { closeSync, copyFileSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateSync, gunzipSync } from 'node:zlib';
import { ROOT } from '../run.mjs';

const MODELS = join(ROOT, 'demo', 'models');
/** Rows for what the model itself needs. */
export const FEW = 1000;

const training = { epochs: 1, batchSize: 32, maxSteps: 3, learningRate: 1e-3, activationsEvery: 0 };
const adapter = { method: 'aurora', rank: 2, alpha: 4 };

function copyModel(name, folder, files) {
  mkdirSync(join(folder, name));
  for (const file of files) copyFileSync(join(MODELS, name, file), join(folder, name, file));
  return `${name}/model.onnx`;
}

/** Descriptions of Debian's packages, several a row, with the section of the first as its label: long documents. */
function documents() {
  const packed = readFileSync(join(ROOT, 'demo/data/debian-sections-train.jsonl.gz'));
  const lines = gunzipSync(packed).toString('utf8').trim().split('\n');
  const rows = lines.map((line) => JSON.parse(line));
  return (i) => {
    const { text, label } = rows[i % rows.length];
    const more = Array.from(
      { length: 11 },
      (_, k) => rows[(i * (k + 2) + 7 * k + (i >> 10)) % rows.length].text,
    );
    return `${JSON.stringify({ text: `${i}: ${[text, ...more].join(' ')}`, label })}\n`;
  };
}

/** @param until whether so many rows and bytes are enough */
function writeRows(path, until, from = 0) {
  const rowAt = documents();
  const file = openSync(path, 'w');
  let [count, written] = [0, 0];
  while (!until(count, written)) {
    let block = '';
    for (let k = 0; k < 1000 && !until(count, written + block.length); k++) block += rowAt(from + count++);
    written += writeSync(file, block);
  }
  closeSync(file);
  return { count, written };
}

/** @param {string} folder @param {number} bytes */
export function textCase(folder, bytes) {
  const { count, written } = writeRows(join(folder, 'all.jsonl'), (_, n) => n >= bytes);
  const what = `${gigabytes(written)} of JSONL, ${count.toLocaleString('en-US')} rows`;
  return { what, ...textExperiments(folder, 'all.jsonl') };
}

/** The case as a Parquet file, compressed with snappy. @param {string} folder @param {number} bytes */
export async function parquetCase(folder, bytes) {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const lines = join(folder, 'all.jsonl');
  // Such texts take a good half of their size.
  const { count } = writeRows(lines, (_, n) => n >= 1.75 * bytes);
  const database = await DuckDBInstance.create(':memory:');
  const connection = await database.connect();
  const path = join(folder, 'all.parquet');
  await connection.run('set threads to 2');
  await connection.run(
    `copy (select * from read_json('${lines}', columns = {text: 'varchar', label: 'varchar'})) to '${path}' (format parquet, row_group_size 4096)`,
  );
  connection.closeSync();
  database.closeSync();
  rmSync(lines);
  const what = `${gigabytes(statSync(path).size)} of Parquet, ${count.toLocaleString('en-US')} rows in groups of 4,096`;
  return { what, ...textExperiments(folder, 'all.parquet') };
}

export const gigabytes = (bytes) => `${(bytes / 1e9).toFixed(bytes < 1e8 ? 2 : 1)} GB`;

function textExperiments(folder, all) {
  const files = ['model.onnx', 'tokenizer.json', 'tokenizer_config.json', 'config.json'];
  const model = copyModel('debian-llama', folder, files);
  writeRows(join(folder, 'few.jsonl'), (n) => n >= FEW);
  writeRows(join(folder, 'validation.jsonl'), (n) => n >= 32, 1e8);
  const experiment = (data) => ({
    model: { path: model, maxLength: 32 },
    task: { type: 'text-classification', head: 'linear', pooling: 'mean' },
    data: { train: data, validation: 'validation.jsonl' },
    adapter: { ...adapter, targetModules: ['q_proj', 'v_proj'] },
    training,
  });
  return {
    few: writeExperiment(folder, 'few', experiment('few.jsonl')),
    all: writeExperiment(folder, 'all', experiment(all)),
  };
}

/** Small PNGs, each different from all others, in ten folders. @param {string} folder */
export function imageCase(folder, count) {
  writeImages(join(folder, 'all'), count, 0, 'png', picture);
  return {
    what: `${count.toLocaleString('en-US')} images in folders`,
    ...imageExperiments(folder, 'all', 'png', picture),
  };
}

/** In a folder for each of ten labels. @param {string} folder */
function writeImages(folder, count, from, ending, make) {
  for (let label = 0; label < 10; label++) mkdirSync(join(folder, `kind-${label}`), { recursive: true });
  for (let i = 0; i < count; i++)
    writeFileSync(join(folder, `kind-${i % 10}`, `${i}.${ending}`), make(from + i));
}

/** @param {string} folder @param {string} all the training data @param {(number: number) => Uint8Array} make an image */
export function imageExperiments(folder, all, ending, make) {
  const model = copyModel('fashion-vit', folder, ['model.onnx', 'preprocessor_config.json']);
  writeImages(join(folder, 'few'), FEW, 0, ending, make);
  writeImages(join(folder, 'validation'), 32, 1e6, ending, make);
  const experiment = (data) => ({
    model: { path: model },
    task: { type: 'image-classification', head: 'linear', pooling: 'first-token' },
    data: { train: data, validation: 'validation' },
    adapter: { ...adapter, targetModules: ['query', 'value'] },
    training,
  });
  return {
    few: writeExperiment(folder, 'few', experiment('few')),
    all: writeExperiment(folder, 'all', experiment(all)),
  };
}

function writeExperiment(folder, name, content) {
  const path = join(folder, `${name}.aurora.json`);
  writeFileSync(path, JSON.stringify(content));
  return path;
}

const SIDE = 28;

/** A gray PNG that holds its own number. */
function picture(number) {
  const rows = Buffer.alloc(SIDE * (SIDE + 1));
  for (let y = 0; y < SIDE; y++)
    for (let x = 0; x < SIDE; x++) rows[y * (SIDE + 1) + x + 1] = (x * y + number * (1 + (x % 3))) & 255;
  rows.writeUInt32LE(number, 2);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(SIDE, 0);
  header.writeUInt32BE(SIDE, 4);
  header[8] = 8;
  const parts = [
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows, { level: 1 })),
    chunk('IEND', Buffer.alloc(0)),
  ];
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), ...parts]);
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}
