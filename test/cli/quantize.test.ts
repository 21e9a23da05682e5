import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readSafetensors } from '../../src/graph/file/safetensors';
import type { ModelSummary } from '../../src/graph/summary';
import type { ExportRecord } from '../../src/protocol/export';
import type { QuantizeResult } from '../../src/protocol/quantize';
import { readRun } from '../read-run';
import { CLI, Lab } from './lab';

const lab = new Lab({
  model: { path: 'small/model_q4.onnx', tokenizer: 'tokenizer.json' },
  training: { epochs: 1, evaluateEvery: 6, checkpointEvery: 3 },
});
// On the disk of the runs, whose graphs then link to quantized copies.
const before = process.env.XDG_CACHE_HOME;
process.env.XDG_CACHE_HOME = lab.path('user-cache');
afterAll(() => {
  if (before === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = before;
  lab.remove();
});
const folder = lab.path('bert');
cpSync(resolve('test/fixtures/hf/bert'), folder, { recursive: true });
cpSync(lab.path('tokenizer.json'), join(folder, 'tokenizer.json'));
const quantized = lab.path('small/model_q4.onnx');

/** Ends the program without warning at the first rename to a matching path. */
const killedAt = (pattern: string, ...args: string[]) =>
  spawnSync(process.execPath, ['--require', resolve('test/cli/kill-at.cjs'), CLI, ...args], {
    env: { ...process.env, AURORA_TEST_KILL: JSON.stringify({ pattern, when: 'after' }) },
  }).signal;

const adapter = (run: string) => readFileSync(join(run, 'adapter/last/adapter_model.safetensors'));

/** By name, without what transformers' classes put before it. */
const values = (run: string) =>
  new Map(
    [...readSafetensors(join(run, 'adapter/last/adapter_model.safetensors')).tensors].map(
      ([name, { data }]) => [name.replace('.bert.', '.'), data] as const,
    ),
  );

describe('aurora quantize', () => {
  const args = ['quantize', folder, '--bits', '4', '--out', quantized];

  it('writes the model after what it needs', () => {
    const out = lab.path('last/model.onnx');
    expect(killedAt('model\\.onnx$', 'quantize', folder, '--bits', '4', '--out', out)).toBe('SIGKILL');
    expect(readdirSync(lab.path('last')).sort()).toEqual([
      'config.json',
      'model.onnx',
      'model.onnx.data',
      'tokenizer.json',
    ]);
  });

  it('leaves no model if it is killed before the end, and then writes it with its tokenizer', () => {
    expect(killedAt('model_q4\\.onnx\\.data$', ...args)).toBe('SIGKILL');
    expect(existsSync(quantized)).toBe(false);
    const { code, out } = lab.run(...args, '--json');
    const made = JSON.parse(out) as QuantizeResult;
    expect(code).toBe(0);
    // Six in each of two layers, and the pooler.
    expect(made.layers).toHaveLength(13);
    for (const { error } of made.layers) expect(error).toBeLessThan(0.12);
    expect(readdirSync(lab.path('small')).sort()).toEqual([
      'config.json',
      'model_q4.onnx',
      'model_q4.onnx.data',
      'tokenizer.json',
    ]);
    const summary = JSON.parse(lab.run('inspect', quantized, '--json').out) as ModelSummary;
    expect(summary.layers.map((l) => l.path)).toContain('encoder.layer.1.attention.self.query');
    expect(lab.run(...args)).toMatchObject({
      code: 2,
      err: expect.stringContaining('exists already') as string,
    });
  });

  it('makes a model that trains to the same bits after kill -9 and with model.quantize, and is merged in float32', () => {
    const [whole, broken] = [lab.fresh('whole'), lab.fresh('broken')];
    expect(lab.run('train', lab.experiment, '--out', whole).code).toBe(0);
    expect(killedAt('checkpoints/step-0*6', 'train', lab.experiment, '--out', broken)).toBe('SIGKILL');
    const run = lab.runs(broken)[0];
    expect(lab.run('train', '--resume', run).code).toBe(0);
    expect(readRun(run).status?.state).toBe('finished');
    expect(adapter(run).equals(adapter(lab.runs(whole)[0]))).toBe(true);
    const read = lab.fresh('read');
    const set = ['--set', 'model.path=bert', '--set', 'model.quantize=4'];
    const { err: said } = lab.run('train', lab.experiment, ...set, '--out', read);
    // A folder's modules have the names of transformers' classes.
    expect(values(lab.runs(read)[0])).toEqual(values(run));
    const { events, result } = readRun(lab.runs(read)[0]);
    const cost = events.find((e) => e.kind === 'quantization-cost')!;
    const best = events.findLast((e) => e.kind === 'evaluation' && e.best);
    expect(cost).toMatchObject({
      bits: 4,
      of: 'adapter',
      step: 6,
      quantized: (best as typeof cost & { metrics: object }).metrics,
    });
    const [few, all] = [cost.quantized, cost.float32] as { loss: number }[];
    expect(Math.abs(few.loss - all.loss)).toBeGreaterThan(1e-6);
    expect(Math.abs(few.loss - all.loss)).toBeLessThan(0.1);
    expect(result).toMatchObject({ quantization: { float32: cost.float32 } });
    expect(said).toMatch(
      /Validation loss of the best adapter: \d.\d{4} on weights of 4 bits, \d.\d{4} in float32/,
    );
    const merged = lab.fresh('merged');
    const { code, err } = lab.run('export', run, '--as', 'onnx-merged', '--accept-drop', '--out', merged);
    expect([code, err]).toEqual([0, expect.anything()]);
    const summary = JSON.parse(lab.run('inspect', `${merged}/model.onnx`, '--json').out) as ModelSummary;
    const operators = new Set(summary.layers.map((l) => `${l.path.split('.').at(-1)} ${l.operator}`));
    expect(operators).toContain('query MatMul');
    expect(operators).toContain('key MatMulNBits');

    const again = lab.fresh('again');
    const args = ['export', run, '--accept-drop', '--requantize', '--out', again, '--as'];
    const { out } = lab.run(...args, 'onnx-merged');
    expect(out).toMatch(/Quantizing the merged weights again changed them by at most [\d.]+% \(encoder/);
    expect(out).toContain('The logits of these files differ from those of a merge in float32 by at most');
    const record = JSON.parse(readFileSync(join(again, 'export.json'), 'utf8')) as ExportRecord;
    expect(record.requantized).toHaveLength(4);
    for (const { error, share } of record.requantized!) {
      expect(error).toBeLessThan(0.12);
      expect(share).toBeGreaterThan(0);
    }
    expect(record.largestDifference).toBeGreaterThan(0);
    const small = JSON.parse(lab.run('inspect', `${again}/model.onnx`, '--json').out) as ModelSummary;
    expect(small.layers.find((l) => l.path.endsWith('query'))?.operator).toBe('MatMulNBits');
    expect(statSync(`${again}/model_q4.onnx.data`).size).toBe(statSync(`${quantized}.data`).size);
    expect(lab.run(...args, 'onnx-dynamic')).toMatchObject({ code: 2 });
  });
});
