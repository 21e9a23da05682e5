import { join } from 'node:path';
import { expect, it } from 'vitest';
import { bounded, LONGEST, spread } from '../../../src/tools/tool-answer';
import { conclusions, table } from '../../../src/tools/comparison';
import { findRun } from '../../../src/tools/find-runs';
import { fully } from '../../../src/tools/tool-facts';
import type { ShownState } from '../../../src/extension/runs/store';
import { toolRun } from '../../../src/extension/tools/tool-run';
import type { ToolRun } from '../../../src/tools/tool';
import { readScalars, ScalarsWriter } from '../../../src/runs/curve/scalars';
import { readRunSummary } from '../../../src/runs/run-summary';
import { temporaryFolders } from '../runs/folder';
import { evaluated, finished, makeRun, spec, started } from '../extension/run-maker';

const folder = temporaryFolders();

function entry(at: string, accuracy: number, change: Partial<typeof spec.training>, day: number): ToolRun {
  const file = join(at, 'demo.aurora.json');
  const run = makeRun(file, {
    at: new Date(Date.UTC(2026, 0, day)),
    spec: { ...spec, training: { ...spec.training, ...change } },
    events: [started, evaluated(40, accuracy / 2), evaluated(120, accuracy), finished(120, accuracy)],
    status: { state: 'finished', step: 120, steps: 120 },
    result: {
      steps: 120,
      outcome: 'finished',
      baseline: { metric: 'accuracy', value: 0.5, answer: 'always "a"' },
    },
  });
  const summary = readRunSummary(run);
  const state: ShownState = 'finished';
  return toolRun({ folder: run, id: summary.id, experiment: file, state, run: summary, user: {} });
}

it('finds a run by id, the start of its last part, path or name, and the newest by default', () => {
  const at = folder();
  const runs = [1, 2].map((day) => entry(at, 0.8, {}, day));
  const [old, recent] = runs;
  const name = { ...old, label: 'best so far' };
  const find = (given?: string) => findRun([name, recent], [at], given).id;
  expect(find()).toBe(recent.id);
  for (const given of [
    old.id,
    old.folder,
    old.folder.slice(at.length + 1),
    'best so far',
    /-(....)/.exec(old.id)![1],
  ])
    expect(find(given)).toBe(old.id);
  expect(() => find('other')).toThrow('No run of this workspace is called "other".');
  expect(() => findRun([], [at])).toThrow('There are no runs in this workspace.');
  try {
    find('other');
  } catch (e) {
    expect((e as { hint: string }).hint).toMatch(
      new RegExp(`first:\n${recent.id} \\(demo: AuroRA r2 .*, finished\\)\n${old.id}`),
    );
  }
});

it('compares runs by their own numbers, the best first, with the settings that differ', async () => {
  const at = folder();
  const runs = [entry(at, 0.7, { weightDecay: 0 }, 1), entry(at, 0.9, { weightDecay: 0.1 }, 2)];
  const compared = table(runs) as { metric: string; runs: Record<string, unknown>[] };
  expect(compared.metric).toBe('accuracy');
  expect(
    compared.runs.map((r) => [r.run, (r.best as { accuracy: number }).accuracy, r.differingSettings]),
  ).toEqual([
    [runs[1].id, 0.9, { 'training.weightDecay': 0.1 }],
    [runs[0].id, 0.7, { 'training.weightDecay': 0 }],
  ]);
  expect((table(runs, 'loss') as typeof compared).runs[0].run).toBe(runs[1].id);
  expect(() => table(runs, 'beauty')).toThrow('"beauty" is not a metric.');
  // One seed each.
  expect(JSON.stringify(await conclusions(runs))).toContain('no test is possible');
  expect(await conclusions([])).toBeUndefined();
});

it('explains a run with what its folder holds', () => {
  const one = entry(folder(), 0.9, {}, 1);
  const scalars = ScalarsWriter.open(one.folder);
  for (let step = 1; step <= 100; step++)
    scalars.append({ step, time: step, loss: 1 / step, learningRate: 1e-3, gradientNorm: step === 7 ? 99 : 1, examples: 16, tokens: 160, seconds: 0.5, memory: 1e8 }); // prettier-ignore
  scalars.close();
  const told = fully(one, readScalars(one.folder));
  expect(told).toMatchObject({
    state: 'finished',
    metric: 'accuracy',
    best: { step: 120, accuracy: 0.9 },
    baseline: { value: 0.5 },
    settings: { 'training.learningRate': 0.001 },
    trainedOn: { trainExamples: 640, trainableParameters: 1000 },
    evaluations: { count: 2, firstToLast: [0.45, 0.9] },
    curve: {
      firstLoss: 1,
      lastLoss: 0.01,
      largestGradientNorm: 99,
      secondsPerStep: 0.5,
      peakMemoryBytes: 1e8,
    },
  });
  const { steps } = told.curve as { steps: { step: number }[] };
  expect([steps.length, steps[0].step, steps.at(-1)!.step]).toEqual([24, 1, 100]);
});

it('answers are bounded, and say what is left out', () => {
  expect(bounded('x')).toBe('x');
  const long = bounded('x'.repeat(LONGEST + 5));
  expect(long).toContain('5 of 16005 characters are left out');
  expect(spread([1, 2, 3, 4, 5], 3)).toEqual([1, 3, 5]);
});
