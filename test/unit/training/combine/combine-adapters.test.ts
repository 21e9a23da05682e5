import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { layerChange } from '../../../../src/adapters/merge';
import { AuroraError } from '../../../../src/base/errors';
import type { LoraSpec } from '../../../../src/experiment/methods';
import { metricValue } from '../../../../src/experiment/metrics';
import { writePeftAdapter } from '../../../../src/peft/peft-adapter';
import type { CombineLine } from '../../../../src/protocol/combine';
import { loadExperiment } from '../../../../src/runs/experiment/load';
import { runPaths } from '../../../../src/runs/layout';
import { readRunSummary } from '../../../../src/runs/run-summary';
import { HEAD_WEIGHT } from '../../../../src/tasks/head';
import { openTrained } from '../../../../src/training/checkpoint/trained-run';
import { combineAdapters, type CombineRequest } from '../../../../src/training/combine/combine-adapters';
import { fitOf } from '../../../../src/training/fit/fit-run';
import { fittedTask } from '../../../../src/training/fit/fitted-task';
import { Lab } from '../../../cli/lab';
import { trainHere } from '../train-here';

const lab = new Lab();
afterAll(() => lab.remove());

const BASE = {
  model: { path: 'model.onnx', maxLength: 16 },
  task: { type: 'text-classification', head: 'linear', pooling: 'mean' },
  data: { train: 'train.jsonl', validation: 'validation.jsonl' },
  training: { maxSteps: 4, batchSize: 8, learningRate: 0.02, evaluateEvery: 2, checkpointEvery: 2 },
};
const trained = (adapter: object, training: object = {}, rest: object = {}) =>
  trainHere(lab, { ...BASE, ...rest, adapter, training: { ...BASE.training, ...training } });

let lora: string;
let other: string;
let aurora: string;
let wide: string;
let sameRank: string;
beforeAll(async () => {
  const targetModules = ['query', 'value'];
  lora = await trained({ method: 'lora', rank: 2, alpha: 4, targetModules }, { seed: 1 });
  other = await trained(
    { method: 'lora', rank: 2, alpha: 3, targetModules: ['query', 'dense'] },
    { seed: 2 },
  );
  aurora = await trained({ method: 'aurora', targetModules }, { seed: 3 });
  sameRank = await trained({ method: 'lora', rank: 2, targetModules }, { seed: 4 });
  wide = await trained({ method: 'lora', rank: 3, targetModules }, { seed: 1 });
});

const combine = (adapters: string[], options: Partial<CombineRequest> = {}) =>
  combineAdapters({
    adapters,
    ...{ combination: 'svd', majoritySignMethod: 'total', at: 'last', headOf: '1' },
    runs: lab.path('runs'),
    hashWorker: resolve('dist/hash-worker.cjs'),
    emit: () => {},
    ...options,
  });

const refused = (adapters: string[], options: Partial<CombineRequest> = {}) =>
  combine(adapters, options).then(
    () => undefined,
    (e: unknown) => (e instanceof AuroraError ? { kind: e.kind, message: e.message, hint: e.hint } : e),
  );

/** The change of each layer by a run's adapter, in its linear form. */
async function changes(run: string): Promise<Map<string, Float64Array>> {
  const opened = await openTrained(run, 'last', lab.folder);
  const biasOf = () => true;
  const { task, parameters } = fittedTask(
    opened.task,
    opened.parameters,
    await fitOf(run, 'last', { trained: opened }),
    { biasOf },
  );
  return new Map(
    task.adapters.map((a) => {
      const { weight, bias } = layerChange(a, parameters);
      return [a.layer.path, Float64Array.from([...weight!, ...(bias ?? [])])];
    }),
  );
}

/** Σ wₖ ΔWₖ, with zeros where an adapter lacks the layer or a bias. */
async function weighted(runs: string[], weights: number[]): Promise<Map<string, Float64Array>> {
  const sums = new Map<string, Float64Array>();
  for (const [k, run] of runs.entries())
    for (const [path, change] of await changes(run)) {
      const before = sums.get(path) ?? new Float64Array(0);
      const size = Math.max(before.length, change.length);
      sums.set(
        path,
        Float64Array.from({ length: size }, (_, i) => (before[i] ?? 0) + weights[k] * (change[i] ?? 0)),
      );
    }
  return sums;
}

function expectChanges(found: Map<string, Float64Array>, wanted: Map<string, Float64Array>): void {
  expect([...found.keys()].sort()).toEqual([...wanted.keys()].sort());
  for (const [path, change] of wanted) {
    const largest = change.reduce((most, v) => Math.max(most, Math.abs(v)), 1e-6);
    const own = found.get(path)!;
    change.forEach((v, i) => expect(Math.abs((own[i] ?? 0) - v)).toBeLessThan(1e-4 * largest));
  }
}

describe('a combination', () => {
  it.each(['cat', 'svd'] as const)(
    'by %s is the weighted sum of the changes, as a run',
    async (combination) => {
      const lines: CombineLine[] = [];
      const weights = [1, -0.5];
      // The sum of two ranks of 2.
      const made = await combine([lora, other], {
        ...{ combination, weights, ...(combination === 'svd' && { rank: 4 }) },
        emit: (line) => void lines.push(line),
      });
      expectChanges(await changes(made.run), await weighted([lora, other], weights));
      const { spec, events, status } = readRunSummary(made.run);
      expect(spec.adapter).toMatchObject({ method: 'lora', useRslora: false });
      // Both have the queries; each also has other layers.
      expect(spec.adapter as LoraSpec).toMatchObject({ rank: 4, alpha: 4 });
      expect(new Set(Object.values((spec.adapter as LoraSpec).rankPattern!))).toEqual(new Set([2]));
      expect(events[0]).toMatchObject({
        kind: 'imported',
        combination: {
          combination,
          headOf: basename(lora),
          adapters: [
            { name: basename(lora), weight: 1, step: 4 },
            { name: basename(other), weight: -0.5, step: 4 },
          ],
        },
      });
      expect(status).toMatchObject({ state: 'stopped', step: 0 });
      expect(made.kept === undefined ? 1 : made.kept).toBeCloseTo(1, 6);
      expect(lines.map(({ kind }) => kind)).toEqual(
        expect.arrayContaining(['preparing', 'reading', 'combining', 'measuring']),
      );
      // The evaluation is that of a step 0.
      const evaluation = events.find((e) => e.kind === 'evaluation');
      expect(evaluation).toMatchObject({ step: 0, metrics: made.metrics });
    },
  );

  it('of an AuroRA run is of its linear fit, with its biases', async () => {
    const made = await combine([aurora, lora], { combination: 'cat', weights: [0.5, 1] });
    expectChanges(await changes(made.run), await weighted([aurora, lora], [0.5, 1]));
    expect(made.record.adapters.map(({ fitted }) => fitted)).toEqual([true, undefined]);
    expect(readRunSummary(made.run).spec.adapter).toMatchObject({ loraBias: true });
    expect(existsSync(runPaths(aurora).fit)).toBe(true);
  });

  it('of an AuroRA run by a rule that prunes is of its fit without biases', async () => {
    const made = await combine([aurora, lora], { combination: 'ties_svd', density: 0.5 });
    expect(readRunSummary(made.run).spec.adapter).toMatchObject({ method: 'lora', loraBias: false });
    expect(made.record).toMatchObject({
      ...{ rank: 2, density: 0.5, majoritySignMethod: 'total' },
      adapters: [{ weight: 1, fitted: true }, { weight: 1 }],
    });
    expect(made.kept).toBeGreaterThan(0);
    expect(made.kept).toBeLessThan(1);
  });

  it('of one adapter by svd lowers its rank', async () => {
    const made = await combine([wide], { rank: 1 });
    expect(readRunSummary(made.run).spec.adapter).toMatchObject({ rank: 1, alpha: 1 });
    expect(made.kept).toBeGreaterThan(0.3);
    expect(made.kept).toBeLessThan(1);
  });

  it('of a run with its own adapter in PEFT’s files, at half weight each, is the run', async () => {
    const { task, parameters } = await openTrained(lora, 'last', lab.folder);
    const folder = lab.path('in-peft');
    mkdirSync(folder);
    writePeftAdapter(folder, task, parameters, task.data);
    const made = await combine([folder, lora], { combination: 'cat', headOf: undefined });
    expectChanges(await changes(made.run), await changes(lora));
    const before = readRunSummary(lora).events.findLast((e) => e.kind === 'evaluation');
    const value = before?.kind === 'evaluation' ? metricValue(before.metrics, 'loss') : NaN;
    expect(metricValue(made.metrics, 'loss')).toBeCloseTo(value, 4);
    expect(made.record.headOf).toBeUndefined();
  });

  it('is the same with the same seed', async () => {
    const options = { combination: 'dare_ties', density: 0.5 } as const;
    const adapter = async (seed: number) => {
      const { run } = await combine([lora, sameRank], { ...options, seed });
      return readFileSync(join(runPaths(run).adapter, 'last', 'adapter_model.safetensors')).toString('hex');
    };
    expect(await adapter(5)).toBe(await adapter(5));
    expect(await adapter(5)).not.toBe(await adapter(6));
  });

  it('uses the experiment that it is given, and keeps the chosen head', async () => {
    lab.write(
      'few.jsonl',
      readFileSync(lab.path('validation.jsonl'), 'utf8').split('\n').slice(0, 8).join('\n'),
    );
    lab.write(
      'few.aurora.json',
      JSON.stringify({ ...BASE, data: { ...BASE.data, validation: 'few.jsonl' } }),
    );
    const file = lab.path('few.aurora.json');
    const made = await combine([lora, other], {
      experiment: { spec: loadExperiment(file), file },
      headOf: other,
      name: 'mine',
    });
    expect(made.metrics.examples).toBe(8);
    const { parameters } = await openTrained(other, 'last', lab.folder);
    const found = await openTrained(made.run, 'last', lab.folder);
    expect(found.parameters.get(HEAD_WEIGHT)).toEqual(parameters.get(HEAD_WEIGHT));
    expect(JSON.parse(readFileSync(runPaths(made.run).user, 'utf8'))).toEqual({ name: 'mine' });
  });
});

describe('adapters that do not fit together are refused before a run exists', () => {
  const runs = () => readdirSync(lab.path('runs')).filter((name) => !name.startsWith('.'));

  it.each<[string, () => Promise<unknown>, object]>([
    [
      'heads that differ',
      () => refused([lora, other], { headOf: undefined }),
      { kind: 'adapter', message: expect.stringMatching(/heads of .* differ in their weights/) },
    ],
    [
      'a head of none of them',
      () => refused([lora, other], { headOf: '3' }),
      { kind: 'usage', message: expect.stringContaining('--head-of takes one of the adapters') },
    ],
    [
      'ranks that differ, by a rule on A and B',
      () => refused([lora, wide], { combination: 'ties', density: 0.5 }),
      { kind: 'adapter', hint: expect.stringContaining('ties_svd') },
    ],
    [
      'a folder that is nothing',
      () => refused([lora, lab.path('runs')]),
      { kind: 'usage', message: expect.stringContaining('neither a run nor a folder with') },
    ],
  ])('%s', async (_, act, wanted) => {
    const before = runs();
    expect(await act()).toMatchObject(wanted);
    expect(runs()).toEqual(before);
  });

  it('a method that is no low-rank product', async () => {
    const dora = await trained({ method: 'dora', rank: 2, targetModules: ['query'] }, { seed: 1 });
    expect(await refused([lora, dora])).toMatchObject({
      kind: 'adapter',
      message: expect.stringContaining('trained DoRA'),
    });
    const alone = await trained({ method: 'none' }, { seed: 1 });
    expect(await refused([lora, alone])).toMatchObject({
      kind: 'adapter',
      message: expect.stringContaining('trained only a head'),
    });
  });

  it('AuroRA’s adapter without its run, which has no fit', async () => {
    const { task, parameters } = await openTrained(aurora, 'last', lab.folder);
    const folder = lab.path('aurora-files');
    mkdirSync(folder);
    writePeftAdapter(folder, task, parameters, task.data);
    expect(await refused([lora, folder])).toMatchObject({
      kind: 'adapter',
      hint: expect.stringContaining('Give the run'),
    });
  });

  it('biases, by a rule that prunes', async () => {
    const biased = await trained(
      { method: 'lora', rank: 2, loraBias: true, targetModules: ['query', 'value'] },
      { seed: 1 },
    );
    expect(await refused([lora, biased], { combination: 'ties', density: 0.5 })).toMatchObject({
      kind: 'adapter',
      message: expect.stringContaining('lora_bias'),
    });
    const made = await combine([lora, biased], { combination: 'linear', weights: [1, 1] });
    expect(readRunSummary(made.run).spec.adapter).toMatchObject({ loraBias: true });
  });

  it('another model, but not a copy of the same one', async () => {
    cpSync(lab.path('model.onnx'), lab.path('copy.onnx'));
    const rest = { model: { path: 'copy.onnx', maxLength: 16 } };
    const adapter = { method: 'lora', rank: 2, targetModules: ['query', 'value'] };
    const same = await trained(adapter, { seed: 1 }, rest);
    const made = await combine([lora, same], { combination: 'cat' });
    expect(readRunSummary(made.run).spec.model.path).toBe(lab.path('model.onnx'));
    // One weight is another.
    const bytes = readFileSync(lab.path('model.onnx'));
    bytes[bytes.length >> 1] ^= 1;
    writeFileSync(lab.path('copy.onnx'), bytes);
    const different = await trained(adapter, { seed: 1 }, rest);
    expect(await refused([lora, different])).toMatchObject({
      kind: 'adapter',
      message: expect.stringContaining('copy.onnx'),
    });
    // The path is the same by now, and the record of the first says otherwise.
    expect(await refused([same, different])).toMatchObject({
      kind: 'adapter',
      message: expect.stringMatching(/copy\.onnx, but its files changed in between/),
    });
  });
});
