import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { Failure } from '../console.mjs';
import { ROOT } from '../run.mjs';

const BASE = { hidden: 768, inner: 3072, layers: 12, heads: 12 };
const LARGE = { hidden: 1024, inner: 4096, layers: 24, heads: 16 };
/** Models in the exact shapes of those that are published, by name. */
export const MODELS = {
  'roberta-base': { family: 'roberta', size: BASE },
  'roberta-large': { family: 'roberta', size: LARGE },
  'vit-base': { family: 'vit', size: BASE },
  'vit-large': { family: 'vit', size: LARGE },
  // Exported by torchvision itself.
  vit_b_16: { family: 'torchvision' },
};

const VOCABULARY = 50265;
const POSITIONS = 514;
const IMAGE = 224;
const PATCH = 16;

const PREPROCESSING = {
  image_processor_type: 'ViTImageProcessor',
  do_resize: true,
  size: { height: IMAGE, width: IMAGE },
  do_normalize: true,
  image_mean: [0.5, 0.5, 0.5],
  image_std: [0.5, 0.5, 0.5],
};

const FAMILIES = {
  roberta: {
    config: {
      vocab_size: VOCABULARY,
      max_position_embeddings: POSITIONS,
      type_vocab_size: 1,
      pad_token_id: 1,
    },
    tensors: robertaTensors,
    files: ['tokenizer.json', 'tokenizer_config.json'],
  },
  vit: {
    config: { image_size: IMAGE, patch_size: PATCH, num_channels: 3 },
    tensors: vitTensors,
    files: [],
  },
};

/**
 * The path of a model with random weights, made once below `parent`: a folder as the hub has it, or an ONNX file of
 * torchvision's, with its preprocessing beside it. Undefined if there is no Python with torchvision (Debian:
 * python3-torchvision, python3-onnx).
 * @param {string} parent @param {string} name
 */
export function modelPath(parent, name) {
  if (MODELS[name].family !== 'torchvision') return modelFolder(parent, name);
  const folder = join(parent, name);
  const path = join(folder, 'model.onnx');
  mkdirSync(folder, { recursive: true });
  writeJson(join(folder, 'preprocessor_config.json'), PREPROCESSING);
  if (existsSync(path)) return path;
  const python = ['/usr/bin/python3', 'python3'].find(
    (program) => spawnSync(program, ['-c', 'import torchvision, onnx'], { stdio: 'ignore' }).status === 0,
  );
  if (python === undefined) return undefined;
  const partial = `${path}.partial`;
  const script = join(ROOT, 'scripts/lib/bench', `${name}.py`);
  const { status } = spawnSync(python, [script, partial], { stdio: 'inherit' });
  if (status !== 0) throw new Failure(`${script} failed.`);
  renameSync(partial, path);
  return path;
}

/** @param {string} parent @param {string} name */
function modelFolder(parent, name) {
  const folder = join(parent, name);
  const { family, size } = MODELS[name];
  if (existsSync(join(folder, 'model.safetensors'))) return folder;
  mkdirSync(folder, { recursive: true });
  const { config, tensors, files } = FAMILIES[family];
  const { hidden, inner, layers, heads } = size;
  writeJson(join(folder, 'config.json'), {
    model_type: family,
    hidden_size: hidden,
    intermediate_size: inner,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    ...config,
  });
  for (const file of files)
    copyFileSync(join(ROOT, 'test/fixtures/data/wordpiece', file), join(folder, file));
  if (family === 'vit') writeJson(join(folder, 'preprocessor_config.json'), PREPROCESSING);
  writeWeights(join(folder, 'model.safetensors'), tensors(size));
  return folder;
}

/** @param {string} path @param {unknown} value */
export const writeJson = (path, value) => writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);

const linear = (name, from, to) => [
  [`${name}.weight`, [to, from]],
  [`${name}.bias`, [to]],
];
const norm = (name, size) => [
  [`${name}.weight`, [size]],
  [`${name}.bias`, [size]],
];
const forEachLayer = ({ layers }, tensors) =>
  Array.from({ length: layers }, (_, i) => tensors(`encoder.layer.${i}`)).flat();

function robertaTensors(size) {
  const { hidden, inner } = size;
  return [
    ['embeddings.word_embeddings.weight', [VOCABULARY, hidden]],
    ['embeddings.position_embeddings.weight', [POSITIONS, hidden]],
    ['embeddings.token_type_embeddings.weight', [1, hidden]],
    ...norm('embeddings.LayerNorm', hidden),
    ...forEachLayer(size, (at) => [
      ...['query', 'key', 'value'].flatMap((n) => linear(`${at}.attention.self.${n}`, hidden, hidden)),
      ...linear(`${at}.attention.output.dense`, hidden, hidden),
      ...norm(`${at}.attention.output.LayerNorm`, hidden),
      ...linear(`${at}.intermediate.dense`, hidden, inner),
      ...linear(`${at}.output.dense`, inner, hidden),
      ...norm(`${at}.output.LayerNorm`, hidden),
    ]),
  ];
}

function vitTensors(size) {
  const { hidden, inner } = size;
  return [
    ['embeddings.cls_token', [1, 1, hidden]],
    ['embeddings.position_embeddings', [1, (IMAGE / PATCH) ** 2 + 1, hidden]],
    ['embeddings.patch_embeddings.projection.weight', [hidden, 3, PATCH, PATCH]],
    ['embeddings.patch_embeddings.projection.bias', [hidden]],
    ...forEachLayer(size, (at) => [
      ...norm(`${at}.layernorm_before`, hidden),
      ...['query', 'key', 'value'].flatMap((n) => linear(`${at}.attention.attention.${n}`, hidden, hidden)),
      ...linear(`${at}.attention.output.dense`, hidden, hidden),
      ...norm(`${at}.layernorm_after`, hidden),
      ...linear(`${at}.intermediate.dense`, hidden, inner),
      ...linear(`${at}.output.dense`, inner, hidden),
    ]),
    ...norm('layernorm', hidden),
  ];
}

/** Prime, so that no two rows are equal. */
const CYCLE = 1_000_003;

/** Small random numbers; 1 and more for the scales of norms. */
function writeWeights(path, tensors) {
  const header = { __metadata__: { format: 'pt' } };
  const count = (dims) => dims.reduce((a, b) => a * b, 1);
  let end = 0;
  for (const [name, shape] of tensors)
    header[name] = { dtype: 'F32', shape, data_offsets: [end, (end += 4 * count(shape))] };
  const json = Buffer.from(JSON.stringify(header));
  const padded = Buffer.alloc(Math.ceil(json.length / 8) * 8, ' ');
  json.copy(padded);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  const values = cycle();
  const partial = `${path}.partial`;
  const file = openSync(partial, 'w');
  writeSync(file, Buffer.concat([length, padded]));
  for (const [name, shape] of tensors) {
    const own = /norm\w*\.weight$/i.test(name) ? new Float32Array(count(shape)).fill(1) : undefined;
    for (let left = count(shape); left > 0;) {
      const part = own ?? values.subarray(0, Math.min(left, CYCLE));
      writeSync(file, Buffer.from(part.buffer, part.byteOffset, part.byteLength));
      left -= part.length;
    }
  }
  closeSync(file);
  renameSync(partial, path);
}

function cycle() {
  let state = 1;
  const values = new Float32Array(CYCLE);
  for (let i = 0; i < CYCLE; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    values[i] = 0.04 * (state / 2 ** 32 - 0.5);
  }
  return values;
}
