import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { MODELS, modelPath, writeJson } from './lib/bench/model-folders.mjs';
import { Failure, main, say } from './lib/console.mjs';
import { machine } from './lib/machine.mjs';
import { ROOT, runNode } from './lib/run.mjs';
import { ensureDependencies } from './lib/setup.mjs';

const NAMES = Object.keys(MODELS);
const HELP = `Usage: npm run bench:models -- [--model NAME]… [--rank 2]… [--threads 2] [--steps 3]

What \`aurora inspect\` says that a training step takes, beside what preflight measures: peak memory and time of models in
the exact shapes of ${NAMES.join(', ')},
with random weights, AuroRA, batch 8. vit_b_16 is exported by torchvision, if a Python has it (Debian: python3-torchvision,
python3-onnx). Their folders (up to 1.4 GB each) are kept in .cache/bench/models. Times mean something only on a quiet
machine.
`;
const BATCH = 8;
const LENGTH = 128;

const exported = (name) => MODELS[name].family === 'torchvision';
/** torchvision's query, key and value are one matrix. */
const targetsOf = (name) => (exported(name) ? ['self_attention'] : ['query', 'value']);

await main(() => {
  const { values } = parseArgs({
    options: {
      model: { type: 'string', multiple: true, default: NAMES },
      rank: { type: 'string', multiple: true, default: ['2', '8'] },
      threads: { type: 'string', default: '2' },
      steps: { type: 'string', default: '3' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  ensureDependencies();
  runNode('scripts/build.mjs');
  const folder = join(ROOT, '.cache', 'bench', 'models');
  mkdirSync(folder, { recursive: true });
  writeTexts(folder);
  const lines = [];
  for (const name of values.model) {
    if (!MODELS[name]) throw new Failure(`There is no model ${name}: choose from ${NAMES.join(', ')}.`);
    const path = modelPath(folder, name);
    if (path === undefined) {
      say(`${name} is left out: no python3 with torchvision and onnx was found.`);
      continue;
    }
    for (const rank of values.rank) {
      say(`${name}, rank ${rank} …`);
      const estimate = inspect(path, name, rank, values.threads);
      lines.push([`${name}, r=${rank}`, estimate, measure(folder, name, Number(rank), values)]);
    }
  }
  const { cpu, cores, memoryGB, system, node } = machine();
  const where = `${cpu}, ${cores} cores, ${memoryGB} GB, ${system}; Node ${node}; ${values.threads} threads`;
  console.log(`\n${where}\n\n${table(lines)}\n`);
});

function aurora(...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, 'dist', 'cli.cjs'), ...args], {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new Failure(`aurora ${args.join(' ')} failed:\n${stderr}${stdout}`);
  return stdout;
}

function inspect(path, name, rank, threads) {
  const sizes = [
    '--batch',
    `${BATCH}`,
    '--length',
    `${LENGTH}`,
    '--rank',
    rank,
    '--targets',
    targetsOf(name).join(),
    '--head',
    'linear',
    '--threads',
    threads,
    '--measure',
  ];
  const { step } = JSON.parse(aurora('inspect', path, '--json', ...sizes));
  if (!step.memory) throw new Failure(`${path}: ${JSON.stringify(step)}`);
  return { bytes: step.memory.total, seconds: step.time?.seconds };
}

function measure(folder, name, rank, { threads, steps }) {
  const experiment = join(folder, `${name}-${rank}.aurora.json`);
  writeJson(experiment, experimentOf(name, rank));
  const lines = aurora('preflight', experiment, '--json', '--threads', threads, '--steps', steps);
  const estimate = lines
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .find((line) => line.kind === 'estimate');
  return { bytes: estimate.memoryBytes, seconds: estimate.secondsPerStep };
}

function experimentOf(name, rank) {
  const text = MODELS[name].family === 'roberta';
  const demo = join(ROOT, 'demo', 'data');
  return {
    model: { path: exported(name) ? `${name}/model.onnx` : name, ...(text && { maxLength: LENGTH }) },
    task: {
      type: text ? 'text-classification' : 'image-classification',
      head: 'linear',
      pooling: 'first-token',
    },
    data: text
      ? { train: 'texts.jsonl', validation: 'texts.jsonl' }
      : {
          train: join(demo, 'fashion-train.parquet'),
          validation: join(demo, 'fashion-validation.parquet'),
          imageColumn: 'image',
          labelColumn: 'label',
        },
    adapter: { method: 'aurora', rank, alpha: 2 * rank, targetModules: targetsOf(name) },
    training: { batchSize: BATCH, epochs: 1, maxSteps: 3, learningRate: 1e-3, activationsEvery: 0 },
  };
}

/** Texts that are all longer than the longest that is read, so that each batch has the same size. */
function writeTexts(folder) {
  const words = ['the', 'cat', 'cats', 'play', 'playing', 'played', 'unaffable'];
  const rows = Array.from({ length: 64 }, (_, i) => {
    const text = Array.from(
      { length: 2 * LENGTH },
      (_, k) => words[(i * 5 + k * 3 + ((i * k) % 4)) % words.length],
    );
    return JSON.stringify({ text: text.join(' '), label: i % 2 ? 'a' : 'b' });
  });
  writeFileSync(join(folder, 'texts.jsonl'), `${rows.join('\n')}\n`);
}

function table(lines) {
  const mb = (bytes) => `${Math.round(bytes / 1e6).toLocaleString('en-US')} MB`;
  const s = (seconds) => (seconds === undefined ? '–' : `${seconds.toFixed(2)} s`);
  const off = (a, b) =>
    a === undefined ? '–' : `${a >= b ? '+' : '−'}${Math.abs(100 * (a / b - 1)).toFixed(0)}%`;
  return [
    '| model | memory, estimated | measured | difference | step, estimated | measured | difference |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...lines.map(
      ([name, e, m]) =>
        `| ${name} | ${mb(e.bytes)} | ${mb(m.bytes)} | ${off(e.bytes, m.bytes)} | ${s(e.seconds)} | ${s(m.seconds)} | ${off(e.seconds, m.seconds)} |`,
    ),
  ].join('\n');
}
