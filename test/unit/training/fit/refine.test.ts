import { mkdtempSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { owning } from '../../../../src/cli/owning';
import { CPU } from '../../../../src/engine/place';
import type { Experiment } from '../../../../src/experiment/experiment';
import { metricValue } from '../../../../src/experiment/metrics';
import type { RefineCost } from '../../../../src/protocol/refinement';
import { loadExperiment } from '../../../../src/runs/experiment/load';
import { createRun } from '../../../../src/runs/layout';
import { writeSpec } from '../../../../src/runs/stored-spec';
import { openTrained, type Trained } from '../../../../src/training/checkpoint/trained-run';
import { refine, type RefineOptions, type Start } from '../../../../src/training/fit/refine';
import type { TrainListener } from '../../../../src/training/run/open-run';
import { train } from '../../../../src/training/run/train';
import { initialParameters } from '../../../../src/training/task/task';
import { Lab } from '../../../cli/lab';

const STEPS = 12;
const program = resolve('dist/cli.cjs');
/** Nobody looks on. */
const listener = new Proxy({} as TrainListener, { get: () => () => {} });

describe('refining', () => {
  const lab = new Lab({
    adapter: { method: 'lora', dropout: 0.2 },
    training: {
      maxSteps: STEPS,
      evaluateEvery: 5,
      checkpointEvery: 1,
      warmupRatio: 0.25,
      learningRate: 0.02,
      metric: 'loss',
    },
  });
  afterAll(() => lab.remove());
  let whole: Trained;

  beforeAll(async () => {
    whole = await trained({});
  });

  /** A run of LoRA on this thread, at its best step. */
  async function trained(settings: Partial<Experiment['training']>): Promise<Trained> {
    const loaded = loadExperiment(lab.experiment);
    const spec = { ...loaded, training: { ...loaded.training, ...settings } };
    const run = createRun(lab.path('runs'));
    writeSpec(run, spec);
    const outcome = await owning({ folder: run, what: 'run', takeOver: false }, () =>
      train({
        ...{ spec, run, resume: false, threads: 1, lease: false, pauseAt: undefined, program, listener },
        device: { ...CPU, fallBack: false, given: { engine: true, device: true } },
        pulseWorker: resolve('dist/pulse-worker.cjs'),
        hashWorker: resolve('dist/hash-worker.cjs'),
        interrupted: () => undefined,
      }),
    );
    expect(outcome.end).toBe('finished');
    return openTrained(run, 'best', folder(), (kind) => kind.load);
  }

  const folder = () => mkdtempSync(join(lab.folder, 'graph-'));

  const refined = (start: Start, steps: number, options: Partial<RefineOptions> = {}) =>
    refine(start, {
      ...{ steps, folder: folder(), threads: 1, program },
      ...{ cost: () => {}, stepped: () => {}, evaluated: () => {} },
      warn: (message) => expect.fail(message),
      ...options,
    });

  const fromScratch = (): Start => ({ ...whole, parameters: initialParameters(whole.task) });
  const fromTrained = (): Start => whole;

  /** The start with changed settings. */
  function having(start: Start, settings: Partial<Experiment['training']>): Start {
    const { spec } = start.task;
    const training = { ...spec.training, ...settings };
    return { ...start, task: { ...start.task, spec: { ...spec, training } } };
  }

  const evaluationsOf = ({ run }: Trained) =>
    run.events.flatMap((e) => (e.kind === 'evaluation' ? [{ step: e.step, metrics: e.metrics }] : []));

  it.each([STEPS, 6])(
    'from the initial values for %d steps is the run of as many, bit for bit',
    async (steps) => {
      const run = steps === STEPS ? whole : await trained({ maxSteps: steps });
      const { parameters, refinement } = await refined(fromScratch(), steps);
      expect(refinement).toMatchObject({ steps, of: steps, best: run.step });
      expect(refinement.evaluations[0].step).toBe(0);
      expect(refinement.evaluations.slice(1)).toEqual(evaluationsOf(run));
      expect(parameters).toEqual(run.parameters);
    },
  );

  it('continues from given values', async () => {
    const start = fromTrained();
    const { parameters, refinement } = await refined(start, STEPS);
    const losses = refinement.evaluations.map((e) => metricValue(e.metrics, 'loss'));
    expect(losses[0]).toBe(whole.metrics!.loss);
    expect(refinement.best).toBeGreaterThan(0);
    const best = refinement.evaluations.find((e) => e.step === refinement.best)!;
    expect(best.metrics.loss).toBe(Math.min(...losses));
    expect(parameters).not.toEqual(start.parameters);
    expect(start.parameters).toEqual(whole.parameters);
  });

  it('keeps the start if no step improves on it, and stops early where the run would', async () => {
    const worse = having(fromTrained(), {
      learningRate: 1,
      headLearningRate: 1,
      earlyStopping: { patience: 1, minDelta: 0 },
    });
    const { parameters, refinement } = await refined(worse, STEPS);
    expect(refinement).toMatchObject({ steps: 5, of: STEPS, best: 0 });
    expect(parameters).toEqual(whole.parameters);
  });

  it('measures the cost before the first step', async () => {
    const order: string[] = [];
    const costs: RefineCost[] = [];
    await refined(fromTrained(), STEPS, {
      cost: (cost) => void (costs.push(cost), order.push('cost')),
      stepped: ({ step }) => void order.push(`step ${step}`),
      evaluated: ({ step }) => void order.push(`evaluation ${step}`),
    });
    expect(order.slice(0, 3)).toEqual(['evaluation 0', 'cost', 'step 1']);
    expect(order.filter((what) => what.startsWith('step'))).toHaveLength(STEPS);
    expect(order.filter((what) => what.startsWith('evaluation'))).toHaveLength(4);
    expect(costs).toHaveLength(1);
    expect(costs[0]).toMatchObject({ steps: STEPS, evaluations: 3 });
    expect(costs[0].secondsPerStep).toBeGreaterThan(0);
    expect(costs[0].seconds).toBeGreaterThan(costs[0].secondsPerStep);
  });

  it('trains all steps of a run that would have trained the static form last', async () => {
    const { refinement } = await refined(having(fromTrained(), { staticEpochs: 1 }), STEPS);
    expect(refinement.steps).toBe(STEPS);
  });

  it('names the next step if training diverges, or the start is not finite', async () => {
    const start = fromTrained();
    await expect(refined(having(start, { learningRate: 1e30 }), STEPS)).rejects.toMatchObject({
      kind: 'diverged',
      message: expect.stringContaining('Refining the fitted adapters failed. Training diverged at step'),
      hint: expect.stringContaining('without --refine'),
    });
    const infinite = new Map([...start.parameters].map(([name, v]) => [name, v.map(() => Infinity)]));
    await expect(refined({ ...start, parameters: infinite }, STEPS)).rejects.toMatchObject({
      kind: 'run',
      hint: expect.stringContaining('without --refine'),
    });
  });
});
