import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../src/base/errors';
import { png } from '../png';
import { readRun } from '../read-run';
import { CLI, Lab } from './lab';

const CACHE = resolve('.cache/node-versions');
const MAJORS = ['20', '22', '24'] as const;

/** Node's own program of a version, from npm's packages of it; this process's where it is that version. */
function node(major: string): string {
  if (process.versions.node.startsWith(`${major}.`)) return process.execPath;
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  const folder = join(CACHE, major);
  const program = join(
    folder,
    'node_modules',
    name,
    'bin',
    process.platform === 'win32' ? 'node.exe' : 'node',
  );
  if (existsSync(program)) return program;
  const unfinished = `${folder}.${process.pid}`;
  mkdirSync(unfinished, { recursive: true });
  writeFileSync(join(unfinished, 'package.json'), '{"private":true}');
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', `${name}@${major}`];
  const npm = spawnSync('npm', args, {
    cwd: unfinished,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  if (npm.status !== 0) throw new Error(`npm could not get Node ${major}: ${npm.stderr}`);
  rmSync(folder, { recursive: true, force: true });
  renameSync(unfinished, folder);
  return program;
}

const lab = new Lab({
  training: { maxSteps: 24, evaluateEvery: 12, checkpointEvery: 24, schedule: 'cosine' },
});
const pictures = new Lab({
  model: { path: 'model.onnx', maxLength: undefined },
  task: { type: 'image-classification', head: 'linear', pooling: undefined },
  adapter: { method: 'lora', rank: 2 },
  training: { maxSteps: 8, batchSize: 4, evaluateEvery: 4, checkpointEvery: 8 },
});
afterAll(() => [lab, pictures].forEach((of) => of.remove()));
copyFileSync(resolve('test/fixtures/reference/vit.onnx'), pictures.path('model.onnx'));
pictures.write(
  'preprocessor_config.json',
  JSON.stringify({ image_processor_type: 'ViTImageProcessor', size: { height: 24, width: 24 } }),
);
const rows = Array.from({ length: 24 }, (_, i) => {
  pictures.write(
    `pictures/${i}.png`,
    png(30, 28, (x, y) => [(40 * i) % 255, (x * (y + i)) % 255, 200 - 5 * i]),
  );
  return JSON.stringify({ image: `pictures/${i}.png`, label: i % 2 ? 'cat' : 'none' });
});
pictures.write('train.jsonl', rows.slice(0, 16).join('\n'));
pictures.write('validation.jsonl', rows.slice(16).join('\n'));

lab.write(
  'adalora.json',
  changed({ method: 'adalora', rank: 4, targetRank: 2, tinit: 2, tfinal: 3, deltaT: 3 }),
);

function changed(adapter: object): string {
  const spec = JSON.parse(lab.read('tiny.aurora.json')) as { adapter: object };
  return JSON.stringify({
    ...spec,
    adapter: { ...adapter, dropout: 0.1, targetModules: ['query', 'value'] },
  });
}

const CASES: [name: string, at: Lab, experiment: string, set: string[]][] = [
  ['AuroRA', lab, lab.experiment, []],
  ['AuroRA in int8', lab, lab.experiment, ['training.precision=int8']],
  ['AdaLoRA with dropout', lab, lab.path('adalora.json'), []],
  ['LoRA on images', pictures, pictures.experiment, []],
];

/** SHA-256 of the adapters and of every recorded number of a step but its time and memory. */
function bitsOf(run: string): Record<string, string> {
  const sum = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
  const { scalars, events } = readRun(run);
  const curves = ['loss', 'gradientNorm', 'learningRate'].map((name) => [...scalars.column(name)!]);
  const evaluations = events.flatMap((e) => (e.kind === 'evaluation' ? [e.metrics] : []));
  return {
    last: sum(readFileSync(join(run, 'adapter/last/adapter_model.safetensors'))),
    best: sum(readFileSync(join(run, 'adapter/best/adapter_model.safetensors'))),
    curves: sum(new Uint8Array(Float64Array.from(curves.flat()).buffer)),
    evaluations: sum(Buffer.from(JSON.stringify(evaluations))),
  };
}

describe('the same specification gives the same bits twice, and on Node 20, 22 and 24', () => {
  beforeAll(() => void MAJORS.map(node), 600_000);

  it.each(CASES)('for %s', (name, at, experiment, set) => {
    const train = (major: string, round: number) => {
      const out = at.fresh(`${name}-${major}-${round}`);
      const args = ['train', experiment, '--out', out, '--threads', '1', ...set.flatMap((s) => ['--set', s])];
      const r = spawnSync(node(major), [CLI, ...args], { encoding: 'utf8' });
      expect(r.status, r.stderr).toBeOneOf([EXIT.ok, EXIT.baseline]);
      const run = at.runs(out)[0]!;
      const { node: version } = readRun(run).result!.environment as { node: string };
      expect(version.split('.')[0]).toBe(major);
      return bitsOf(run);
    };
    const first = train(MAJORS[0], 1);
    for (const major of MAJORS)
      for (const round of major === MAJORS[0] ? [2] : [1, 2])
        expect(train(major, round), `Node ${major}`).toEqual(first);
  });
});
