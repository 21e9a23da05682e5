import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { methodOf } from '../../src/adapters/methods/registry';
import type { MethodName } from '../../src/experiment/methods';
import { EXIT } from '../../src/base/errors';
import { readRun } from '../read-run';
import type { ExportRecord } from '../../src/protocol/export';
import { hasGeometry } from '../../src/study/geometry';
import type { StudyLine } from '../../src/study/page-study';
import { Lab } from './lab';

const lab = new Lab({ training: { maxSteps: 4, evaluateEvery: 4, checkpointEvery: 2, learningRate: 0.02 } });
afterAll(() => lab.remove());

/** On query, value (32 × 32) and inter (64 × 32) of the tiny model's two layers. */
const METHODS: [name: MethodName, settings: Record<string, unknown>, parameters: number, lora: boolean][] = [
  ['lora', { rank: 2, loraBias: true, dropout: 0.2 }, 2 * (2 * (2 * 64 + 32) + 2 * 96 + 64), true],
  ['moslora', { rank: 2 }, 2 * (2 * (2 * 64 + 4) + 2 * 96 + 4), true],
  ['dora', { rank: 2, dropout: 0.2 }, 2 * (2 * (2 * 64 + 32) + 2 * 96 + 64), true],
  ['sinelora', { rank: 2, frequency: 20 }, 2 * (2 * 2 * 64 + 2 * 96), false],
  ['vera', { rank: 32, dropout: 0.2 }, 2 * (2 * (32 + 32) + 64 + 32), true],
  ['fourierft', { frequencies: 50, scaling: 20 }, 2 * 3 * 50, false],
  ['peanut', { rank: 2, depth: 1, actFn: 'gelu' }, 2 * (2 * (4 * 32 + 8) + (4 * 64 + 8)), true],
  ['hira', { rank: 2, dropout: 0.2 }, 2 * (2 * 2 * 64 + 2 * 96), false],
  ['loha', { rank: 2 }, 2 * (2 * 4 * 64 + 4 * 96), false],
  // 32 is 4 · 8 and 64 is 8 · 8: the second factors are products of rank 2.
  ['lokr', { rank: 2 }, 2 * (2 * (16 + 2 * 16) + (32 + 2 * 16)), false],
  ['delora', { rank: 2, lambda: 3, dropout: 0.2 }, 2 * (2 * (2 * 64 + 1) + 2 * 96 + 1), true],
  ['randlora', { rank: 8, alpha: 8, dropout: 0.2 }, 2 * 3 * 4 * (8 + 32), false],
  ['gralora', { rank: 2, hybridR: 1, dropout: 0.2 }, 2 * 3 * (2 * 64 + 96), false],
  ['c3a', { blockSize: 16 }, 2 * (2 * 64 + 128), false],
  ['shira', { rank: 2 }, 2 * 2 * (2 * 64 + 96), false],
  ['frod', { sparseRate: 0.05, dropout: 0.2 }, 6 * (32 + 51), false],
  ['ia3', { feedforwardModules: ['inter'] }, 2 * 3 * 32, false],
  ['miss', { rank: 4, initWeights: 'bat', dropout: 0.2 }, 2 * (2 * 8 + 16) * 16, false],
  ['oft', { blockSize: 8, useCayleyNeumann: false }, 2 * 3 * 4 * 28, false],
  ['boft', { blockSize: 4, nButterflyFactor: 2 }, 2 * (3 * 2 * 8 * 16 + 32 + 32 + 64), false],
  ['adalora', { rank: 4, tinit: 1, dropout: 0.2 }, 2 * (4 * (2 * 64 + 96) + 3 * 4), true],
  ['lorafa', { rank: 2, dropout: 0.2 }, 2 * 2 * (32 + 32 + 64), true],
  ['bitfit', {}, 2 * (32 + 32 + 64), false],
  ['full', {}, 2 * (2 * 32 * 32 + 64 * 32), false],
];

it("a LoRA export with a rank above a layer's limit is rejected", () => {
  const out = lab.path('wide');
  const adapter = { method: 'vera', rank: 40, targetModules: ['query'] };
  lab.run('train', lab.experiment, '--out', out, '--set', `adapter=${JSON.stringify(adapter)}`);
  const exported = lab.run('export', lab.runs(out)[0], '--as', 'peft-lora');
  expect(exported.err).toMatch(
    /trained a rank of 40, more than layer\.0\.query allows; that cannot be written as a LoRA/,
  );
});

describe.each(METHODS)('%s', (method, settings, parameters, lora) => {
  const adapter = { method, targetModules: ['query', 'value', 'inter'], ...settings };
  const out = lab.path(method);
  const trained = lab.run(
    'train',
    lab.experiment,
    '--out',
    out,
    '--set',
    `adapter=${JSON.stringify(adapter)}`,
  );
  const [run] = lab.runs(out);

  it('trains as many parameters as its formula gives', () => {
    // So few steps may end worse than a constant answer.
    expect([trained.code, trained.err]).toEqual([
      expect.toBeOneOf([EXIT.ok, EXIT.baseline]),
      expect.any(String),
    ]);
    expect(readRun(run).result).toMatchObject({ method, trained: { adapters: parameters } });
  });

  it.each(['adapter', 'onnx-merged', 'onnx-adapter-inputs'])('loses nothing when exported as %s', (form) => {
    const exported = lab.run('export', run, '--as', form);
    expect([exported.code, exported.err]).toEqual([0, expect.any(String)]);
    const folder = /^Wrote (.*)$/m.exec(exported.out)![1];
    const record = JSON.parse(readFileSync(join(folder, 'export.json'), 'utf8')) as ExportRecord;
    expect(record.largestDifference).toBeLessThan(1e-4);
    expect(record.metrics.exported.loss).toBeCloseTo(record.metrics.trained.loss, 5);
    if (form !== 'adapter') return;
    const card = readFileSync(join(folder, 'README.md'), 'utf8');
    const { loads, loader, type } = methodOf({ method }).peft;
    expect(card.includes('PeftModel.from_pretrained')).toBe(loads !== undefined && !loader);
    expect(/^tags: \[(.*)\]$/m.exec(card)![1].split(', ').includes(type.toLowerCase())).toBe(
      loads !== undefined || type.toLowerCase() === method,
    );
    if (loads && type !== 'LORA') expect(card).toContain(`needs PEFT ${loads.since} or newer.`);
  });

  it('has a path and singular values of ΔW that agree, if it changes weights', () => {
    const studied = lab.run('study', run, '--measure', '--json').out.trimEnd().split('\n').at(-1)!;
    const line = JSON.parse(studied) as Extract<StudyLine, { kind: 'result' }>;
    const { geometry } = line.study.sections[0].groups[0].runs[0];
    if (!hasGeometry({ method })) return expect(geometry).toBeUndefined();
    const { path, modules } = geometry!;
    expect(path.map((p) => p.step)).toEqual([0, 2, 4]);
    const [first, , last] = path;
    const squares = modules.flatMap((m) => m.values).reduce((sum, v) => sum + v * v, 0);
    expect(modules).toHaveLength(6);
    for (const { values } of modules) expect(values).toEqual([...values].sort((a, b) => b - a));
    // Three points lie on their plane. All methods but FourierFT and C³A start without a change.
    const moved = Math.hypot(last.x - first.x, last.y - first.y);
    if (['fourierft', 'c3a'].includes(method)) expect(moved).toBeLessThan(Math.sqrt(squares));
    else expect(moved / Math.sqrt(squares)).toBeCloseTo(1, 4);
  });

  it(lora ? 'can also be exported as a PEFT LoRA' : 'reports that it cannot be written as a LoRA', () => {
    const exported = lab.run('export', run, '--as', 'peft-lora');
    expect(exported.code, exported.err).toBe(lora ? 0 : 2);
    if (!lora) expect(exported.err).toMatch(/cannot be written as a LoRA/);
  });
});

it('Lily is trained, studied and exported, but not merged', () => {
  const adapter = { method: 'lily', rank: 2, strideA: 2, targetModules: ['query', 'value', 'inter'] };
  const out = lab.path('lily');
  lab.run('train', lab.experiment, '--out', out, '--set', `adapter=${JSON.stringify(adapter)}`);
  const [run] = lab.runs(out);
  // Both layers share A and B of each name; each has a router.
  const parameters = 3 * 2 * 32 + 2 * 2 * (32 + 32 + 64) + 6 * 2 * 2;
  expect(readRun(run).result).toMatchObject({ method: 'lily', trained: { adapters: parameters } });
  const studied = lab.run('study', run, '--measure', '--json');
  expect([studied.code, studied.err]).toEqual([0, expect.any(String)]);
  const line = JSON.parse(studied.out.trimEnd().split('\n').at(-1)!) as Extract<
    StudyLine,
    { kind: 'result' }
  >;
  expect(line.study.sections[0].groups[0].runs[0].geometry).toBeUndefined();
  const exported = (form: string) => lab.run('export', run, '--as', form);
  for (const form of ['adapter', 'onnx-dynamic']) expect([form, exported(form).code]).toEqual([form, 0]);
  for (const form of ['onnx-merged', 'peft-lora']) expect([form, exported(form).code]).toEqual([form, 2]);
  expect(exported('onnx-merged').err).toMatch(/Lily cannot be merged into the weights/);
});
