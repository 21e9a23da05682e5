import {
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from './build.mjs';
import { Failure, main, say } from './lib/console.mjs';
import { ROOT } from './lib/run.mjs';
import { ensureDependencies } from './lib/setup.mjs';

const HELP = `Usage: npm run bench:large -- [--layers 32] [--vocabulary 128256] [--bits 4] [--length 256] [--folder DIR]

Writes a folder in the shape of LLaMA3-8B with random weights in bfloat16 (16 GB with 32 layers), a file for each layer.
Quantizes it with \`aurora quantize\`, and trains AuroRA (r = 2 on q, k, v, up and down; batch 1) for two steps. Prints time and
peak memory (VmHWM, Linux only) of each. The folder is removed afterwards.
`;
const [HIDDEN, INNER, KEYS] = [4096, 14336, 1024];

await main(async () => {
  const { values } = parseArgs({
    options: {
      layers: { type: 'string', default: '32' },
      vocabulary: { type: 'string', default: '128256' },
      bits: { type: 'string', default: '4' },
      length: { type: 'string', default: '256' },
      folder: { type: 'string', default: join(ROOT, '.cache', 'bench-large') },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return void console.log(HELP);
  const [layers, vocabulary, length] = [values.layers, values.vocabulary, values.length].map(Number);
  ensureDependencies();
  await build();
  const folder = resolve(values.folder);
  const model = join(folder, 'model');
  try {
    say(`${layers} layers …`);
    writeModel(model, layers, vocabulary);
    const quantized = join(folder, 'quantized', 'model.onnx');
    report('quantize', aurora(folder, ['quantize', model, '--bits', values.bits, '--out', quantized]));
    const experiment = writeExperiment(folder, length);
    report('train', aurora(folder, ['train', experiment, '--out', join(folder, 'runs')]));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

function report(what, { seconds, kilobytes }) {
  say(`${what}: ${seconds.toFixed(1)} s, peak ${(kilobytes / 1024).toFixed(0)} MB`);
}

/** Name and shape of each weight, by the file that holds it. */
function weights(layers, vocabulary) {
  const ends = [
    ['model.embed_tokens.weight', [vocabulary, HIDDEN]],
    ['lm_head.weight', [vocabulary, HIDDEN]],
    ['model.norm.weight', [HIDDEN]],
  ];
  const layer = (at) => [
    [`${at}.input_layernorm.weight`, [HIDDEN]],
    [`${at}.post_attention_layernorm.weight`, [HIDDEN]],
    [`${at}.self_attn.q_proj.weight`, [HIDDEN, HIDDEN]],
    [`${at}.self_attn.k_proj.weight`, [KEYS, HIDDEN]],
    [`${at}.self_attn.v_proj.weight`, [KEYS, HIDDEN]],
    [`${at}.self_attn.o_proj.weight`, [HIDDEN, HIDDEN]],
    [`${at}.mlp.gate_proj.weight`, [INNER, HIDDEN]],
    [`${at}.mlp.up_proj.weight`, [INNER, HIDDEN]],
    [`${at}.mlp.down_proj.weight`, [HIDDEN, INNER]],
  ];
  return [ends, ...Array.from({ length: layers }, (_, i) => layer(`model.layers.${i}`))];
}

function writeModel(folder, layers, vocabulary) {
  mkdirSync(folder, { recursive: true });
  const map = {};
  weights(layers, vocabulary).forEach((shard, i) => {
    const name = `model-${i}.safetensors`;
    for (const [weight] of shard) map[weight] = name;
    writeShard(join(folder, name), shard);
  });
  const config = {
    model_type: 'llama',
    architectures: ['LlamaForCausalLM'],
    hidden_size: HIDDEN,
    intermediate_size: INNER,
    num_attention_heads: 32,
    num_key_value_heads: 8,
    num_hidden_layers: layers,
    vocab_size: vocabulary,
    rope_theta: 500000,
    max_position_embeddings: 8192,
    rms_norm_eps: 1e-5,
  };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  writeFileSync(join(folder, 'model.safetensors.index.json'), JSON.stringify({ weight_map: map }));
  copyFileSync(join(ROOT, 'test/fixtures/data/wordpiece/tokenizer.json'), join(folder, 'tokenizer.json'));
}

function writeShard(path, tensors) {
  let end = 0;
  const header = {};
  for (const [name, shape] of tensors) {
    const bytes = 2 * shape.reduce((a, b) => a * b, 1);
    header[name] = { dtype: 'BF16', shape, data_offsets: [end, end + bytes] };
    end += bytes;
  }
  const text = Buffer.from(JSON.stringify(header));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(text.length));
  const file = openSync(path, 'w');
  writeSync(file, size);
  writeSync(file, text);
  for (const [name, shape] of tensors) {
    const piece = values(name.includes('norm'));
    for (let left = 2 * shape.reduce((a, b) => a * b, 1); left > 0; left -= piece.length)
      writeSync(file, piece, 0, Math.min(left, piece.length));
  }
  closeSync(file);
}

/** Ones, or numbers between ±0.03 from a fixed sequence, in bfloat16; repeated in each weight. */
function values(ones) {
  const floats = new Float32Array(2 ** 20 + 13);
  let state = 1;
  for (let i = 0; i < floats.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    floats[i] = ones ? 1 : 0.06 * (state / 2 ** 32 - 0.5);
  }
  const bits = new Uint32Array(floats.buffer);
  return Buffer.from(Uint16Array.from(bits, (b) => b >>> 16).buffer);
}

function writeExperiment(folder, length) {
  const text = Array.from({ length }, (_, i) => ['the', 'cat', 'played', ',', 'unaffable'][(i * 7) % 5]).join(
    ' ',
  );
  const rows = (count) => Array.from({ length: count }, () => `${JSON.stringify({ text })}\n`).join('');
  writeFileSync(join(folder, 'train.jsonl'), rows(2));
  writeFileSync(join(folder, 'validation.jsonl'), rows(1));
  const path = join(folder, 'large.aurora.json');
  const targetModules = ['q_proj', 'k_proj', 'v_proj', 'up_proj', 'down_proj'];
  const experiment = {
    model: { path: 'quantized/model.onnx', maxLength: length },
    task: { type: 'causal-language-modeling', head: 'none' },
    data: { train: 'train.jsonl', validation: 'validation.jsonl' },
    adapter: { method: 'aurora', rank: 2, alpha: 4, targetModules },
    training: { epochs: 1, batchSize: 1, learningRate: 1e-3, seed: 1, gradientCheckpointing: true },
  };
  writeFileSync(path, JSON.stringify(experiment));
  return path;
}

/** Runs a command; its peak memory is what the process says when it ends. */
function aurora(folder, args) {
  const probe = join(folder, 'peak.cjs');
  const peak = join(folder, 'peak.txt');
  writeFileSync(
    probe,
    `process.on('exit', () => { try { require('fs').appendFileSync(${JSON.stringify(peak)}, /VmHWM:\\s*(\\d+)/.exec(require('fs').readFileSync('/proc/self/status', 'utf8'))[1] + '\\n') } catch {} });`,
  );
  rmSync(peak, { force: true });
  const began = performance.now();
  const { status } = spawnSync(process.execPath, ['--require', probe, join(ROOT, 'dist/cli.cjs'), ...args], {
    stdio: 'inherit',
  });
  if (status !== 0) throw new Failure(`aurora ${args[0]} ended with ${status}.`);
  const seconds = (performance.now() - began) / 1000;
  const kilobytes = Math.max(0, ...readFileSync(peak, 'utf8').trim().split('\n').map(Number));
  return { seconds, kilobytes };
}
