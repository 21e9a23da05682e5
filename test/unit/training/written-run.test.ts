import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { owning } from '../../../src/cli/owning';
import type { DeviceRequest } from '../../../src/engine/devices';
import { CPU } from '../../../src/engine/place';
import type { Evaluation } from '../../../src/protocol/evaluations';
import type { StopReason } from '../../../src/protocol/events';
import { loadExperiment } from '../../../src/runs/experiment/load';
import { createRun, runPaths, stepName } from '../../../src/runs/layout';
import { readSamples } from '../../../src/runs/samples-and-pictures';
import type { TrainListener } from '../../../src/training/run/open-run';
import { train } from '../../../src/training/run/train';
import { readRun } from '../../read-run';
import { Lab } from '../../cli/lab';

const FIXTURE = resolve('test/fixtures/playground/language');
const lab = new Lab({
  task: {
    type: 'causal-language-modeling',
    head: 'none',
    scoring: ['exact-match', 'last-number'],
    answers: { pattern: '#### (.+)', maxNewTokens: 12 },
  },
  model: { maxLength: 48 },
  data: { textColumn: 'prompt', completionColumn: 'completion', test: 'validation.jsonl' },
  adapter: { method: 'lora', targetModules: ['c_attn', 'c_fc'] },
  training: { epochs: 1, maxSteps: 6, evaluateEvery: 2, checkpointEvery: 100, batchSize: 4, samples: 2 },
});
afterAll(() => lab.remove());
lab.write('model.onnx', readFileSync(join(FIXTURE, 'with-past.onnx')));
for (const name of ['tokenizer.json', 'tokenizer_config.json', 'config.json'])
  lab.write(name, readFileSync(join(FIXTURE, name)));
const rows = Array.from({ length: 12 }, (_, i) =>
  JSON.stringify({ prompt: `${'ab'.repeat(1 + (i % 3))}: `, completion: `#### ${1 + (i % 3)}` }),
);
for (const name of ['train.jsonl', 'validation.jsonl']) lab.write(name, `${rows.join('\n')}\n`);

const cpu: DeviceRequest = { ...CPU, fallBack: false, given: { engine: true, device: true } };
const programs = {
  pulseWorker: resolve('dist/pulse-worker.cjs'),
  hashWorker: resolve('dist/hash-worker.cjs'),
  program: resolve('dist/cli.cjs'),
};

/** Trains a run, which is asked to stop when `stops` says so. */
function trained(
  run: string,
  resume: boolean,
  stops: (now: { written: number; evaluations: number }) => boolean,
) {
  const spec = loadExperiment(lab.experiment);
  const now = { written: 0, evaluations: 0 };
  const told: Partial<TrainListener> = {
    evaluated: () => void now.evaluations++,
    writing: () => void now.written++,
  };
  const listener = new Proxy(told as TrainListener, {
    get: (own, name: keyof TrainListener) => own[name] ?? (() => {}),
  });
  const interrupted = (): StopReason | undefined => (stops(now) ? 'requested' : undefined);
  const options = { spec, run, resume, device: cpu, threads: 1, lease: false, pauseAt: undefined };
  return owning({ folder: run, what: 'run', takeOver: false }, () =>
    train({ ...options, ...programs, listener, interrupted }),
  );
}

function newRun(): string {
  const run = createRun(lab.path('runs'));
  writeFileSync(runPaths(run).spec, JSON.stringify(loadExperiment(lab.experiment)));
  return run;
}

const evaluations = (run: string) =>
  readRun(run)
    .events.filter((e): e is Evaluation => e.kind === 'evaluation')
    .map(({ step, metrics, best }) => ({ step, metrics, best }));
const scores = (run: string) =>
  readRun(run).events.flatMap((e) => (e.kind === 'test-evaluation' ? [e.metrics] : []));
const bits = (run: string) =>
  ['best', 'last'].map((which) =>
    readFileSync(join(run, 'adapter', which, 'adapter_model.safetensors')).toString('base64'),
  );
const state = (run: string, step: number) =>
  JSON.parse(readFileSync(join(runPaths(run).checkpoints, stepName(step), 'state.json'), 'utf8')) as {
    unevaluated?: boolean;
  };

describe('a run that is scored by written answers', async () => {
  const whole = newRun();
  await trained(whole, false, () => false);

  it('has both metrics in each evaluation, on the test set, and in its samples', () => {
    expect(evaluations(whole).map(({ step }) => step)).toEqual([2, 4, 6]);
    for (const metrics of [...evaluations(whole).map((e) => e.metrics), ...scores(whole)])
      expect(metrics).toMatchObject({ exactMatch: expect.any(Number), lastNumber: expect.any(Number) });
    expect(scores(whole)).toHaveLength(1);
    const samples = readSamples(whole)!;
    expect(samples.answer).toBe('written');
    expect(samples.rows.map(({ truth }) => truth)).toEqual([
      expect.stringMatching(/^[123]$/),
      expect.anything(),
    ]);
    expect(samples.evaluations[0].answers[0]).toMatchObject({ right: expect.any(Boolean) });
  });

  it('stops between two tokens, and resumes with the rest of the evaluation to the same bits', async () => {
    const run = newRun();
    // In the second evaluation, after a few tokens.
    let at = 0;
    const outcome = await trained(run, false, ({ written, evaluations: n }) => {
      if (n === 1) at ||= written;
      return n === 1 && written >= at + 3;
    });
    expect(outcome).toEqual({ end: 'requested', step: 4 });
    expect(evaluations(run).map(({ step }) => step)).toEqual([2]);
    expect(state(run, 4).unevaluated).toBe(true);
    expect(await trained(run, true, () => false)).toMatchObject({ end: 'finished' });
    expect(state(run, 4).unevaluated).toBeUndefined();
    expect(evaluations(run)).toEqual(evaluations(whole));
    expect(scores(run)).toEqual(scores(whole));
    expect(bits(run)).toEqual(bits(whole));
    expect(readSamples(run)).toEqual(readSamples(whole));
  });

  it('stops in its last evaluation, which a resume repeats', async () => {
    const run = newRun();
    let at = 0;
    const outcome = await trained(run, false, ({ written, evaluations: n }) => {
      if (n === 2) at ||= written;
      return n === 2 && written >= at + 3;
    });
    expect(outcome).toEqual({ end: 'requested', step: 6 });
    expect(await trained(run, true, () => false)).toMatchObject({ end: 'finished' });
    expect(evaluations(run)).toEqual(evaluations(whole));
    expect(bits(run)).toEqual(bits(whole));
  });
});
