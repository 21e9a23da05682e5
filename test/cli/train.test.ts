import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { readRun } from '../read-run';
import { runPaths } from '../../src/runs/layout';
import { ResourcesTail } from '../../src/runs/resources/resources-tail';
import type { RunSamples } from '../../src/protocol/run-files/samples';
import { decodeSnapshot } from '../../src/protocol/activations';
import { Lab } from './lab';

const lab = new Lab({ adapter: { dropout: 0.1 } });
afterAll(() => lab.remove());

const bits = (run: string) =>
  ['best', 'last'].map((which) =>
    createHash('sha256')
      .update(readFileSync(join(run, 'adapter', which, 'adapter_model.safetensors')))
      .digest('hex'),
  );

/** The columns that do not depend on the clock or on the machine's memory. */
function curve(run: string): number[][] {
  const { scalars } = readRun(run);
  return ['step', 'loss', 'learningRate', 'gradientNorm', 'examples', 'tokens'].map((c) => [
    ...scalars.column(c)!,
  ]);
}

function trained(out: string, ...args: string[]): string {
  const done = lab.run('train', lab.experiment, '--out', lab.path(out), ...args);
  expect(done.err).not.toContain('error');
  expect(done.code).toBe(0);
  return lab.runs(lab.path(out))[0];
}

/** The samples of the machine in the only run below `out`. */
async function resourcesOf(out: string): Promise<Record<string, number>[]> {
  if (!lab.begun(out, 'resources.bin')) return [];
  const tail = new ResourcesTail(lab.runs(out)[0]);
  await tail.look();
  const { columns, records } = tail;
  const values = tail.rows(0);
  return Array.from({ length: records }, (_, i) =>
    Object.fromEntries(columns.map((name, k) => [name, values[i * columns.length + k]])),
  );
}

describe('aurora train', () => {
  const whole = trained('whole');

  it('learns and leaves a complete run folder', () => {
    const run = readRun(whole);
    expect(run.status?.state).toBe('finished');
    const kinds = new Set(run.events.map((e) => e.kind));
    for (const kind of ['started', 'evaluation', 'checkpoint', 'activations', 'finished'] as const)
      expect(kinds).toContain(kind);
    const result = run.result as {
      best: { accuracy: number };
      steps: number;
      trained: { adapters: number; head: number };
    };
    expect(result.steps).toBe(48);
    // Half of the rows belong to each label, and the base model is random.
    expect(result.best.accuracy).toBeGreaterThan(0.7);
    const losses = [...run.scalars.column('loss')!];
    const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    expect(mean(losses.slice(-12))).toBeLessThan(0.95 * mean(losses.slice(0, 12)));
    // Four 32 × 32 layers with r(in + out) + r² + r(G + k) each; the head has 2 × 32 + 2.
    expect(result.trained).toMatchObject({ adapters: 4 * (2 * 64 + 4 + 16), head: 66 });
    expect(run.scalars.records).toBe(48);
  });

  it('records the inputs of every layer in snapshots, without padding', () => {
    const { layers } = decodeSnapshot(readFileSync(join(whole, 'activations/step-000048.bin')));
    const { examples } = JSON.parse(readFileSync(join(whole, 'activations/examples.json'), 'utf8')) as {
      examples: { ids: number[] }[];
    };
    const tokens = examples.reduce((n, e) => n + e.ids.length, 0);
    expect(layers).toHaveLength(4);
    for (const layer of layers) {
      expect(layer.tokens).toBe(tokens);
      expect(layer.counts.reduce((a, b) => a + b, 0)).toBe(tokens * layer.rank);
      expect(layer.W.length).toBe(16);
    }
  });

  it('records the first loss before the state that the run began with', () => {
    const settings = ['maxSteps=1', 'warmupRatio=0', 'weightDecay=0.5'];
    const run = trained('first', ...settings.flatMap((s) => ['--set', `training.${s}`]));
    const { events, scalars } = readRun(run);
    const begun = events.find((e) => e.kind === 'activations')!;
    expect(begun).toMatchObject({ step: 0 });
    expect(begun.t).toBeGreaterThanOrEqual(scalars.column('time')![0]);
    const weights = (of: string, step: number) =>
      decodeSnapshot(readFileSync(join(of, `activations/step-00000${step}.bin`))).layers[0].W;
    expect(weights(run, 0)).toEqual(weights(whole, 0));
    expect(weights(run, 1)).not.toEqual(weights(run, 0));
  });

  it('gives the same bits for the same seed and different ones for another', () => {
    expect(bits(trained('again'))).toEqual(bits(whole));
    expect(bits(trained('other', '--set', 'training.seed=8'))).not.toEqual(bits(whole));
  });

  it('gives the same gradients however a batch is split into micro-batches', () => {
    const split = curve(
      trained(
        'micro',
        '--set',
        'training.batchSize=2',
        '--set',
        'training.gradientAccumulation=4',
        '--set',
        'training.groupByLength=false',
      ),
    );
    const one = curve(trained('one', '--set', 'training.groupByLength=false'));
    split[1].forEach((loss, i) => expect(loss).toBeCloseTo(one[1][i], 4));
  });

  it('ends with the same bits after kills at any moment and resumes', async () => {
    const out = lab.fresh('killed');
    const at = (run: string) =>
      existsSync(join(run, 'scalars.bin')) ? readFileSync(join(run, 'scalars.bin')).length / 72 : 0;
    let run: string | undefined;
    // Before the first checkpoint, between two, right at an evaluation, and near the end.
    for (const kill of [1, 4, 10, 17, 29, 45]) {
      const child = run
        ? lab.start('train', '--resume', run)
        : lab.start('train', lab.experiment, '--out', out);
      const ended = new Promise((r) => child.once('exit', r));
      for (let i = 0; i < 4000; i++) {
        run ??= existsSync(out) ? lab.runs(out)[0] : undefined;
        if (child.exitCode !== null || (run && at(run) >= kill)) break;
        await wait(2);
      }
      child.kill('SIGKILL');
      await ended;
    }
    const done = lab.run('train', '--resume', run!);
    if (done.code !== 0) expect(done.err).toContain('has finished');
    expect(bits(run!)).toEqual(bits(whole));
    expect(curve(run!)).toEqual(curve(whole));
    const samples = (of: string) => readFileSync(runPaths(of).samples, 'utf8');
    expect(samples(run!)).toBe(samples(whole));
    const { rows, evaluations } = JSON.parse(samples(whole)) as RunSamples;
    expect([rows.length, evaluations.map((e) => e.step)]).toEqual([8, [10, 20, 30, 40, 48]]);
    expect(readRun(run!).events.some((e) => e.kind === 'resumed')).toBe(true);
  });

  it('stops on a request in the control folder', async () => {
    const out = lab.fresh('stopped');
    const child = lab.start('train', lab.experiment, '--out', out, '--set', 'training.epochs=40000');
    const ended = new Promise((r) => child.once('exit', r));
    const sampled = async (records: number) => {
      for (let i = 0; i < 4000 && (await resourcesOf(out)).length < records; i++) await wait(5);
    };
    await sampled(1);
    const [run] = lab.runs(out);
    mkdirSync(join(run, 'control'), { recursive: true });
    writeFileSync(join(run, 'control/stop'), '');
    expect(await ended).toBe(130);
    const { status, events } = readRun(run);
    expect(status?.state).toBe('stopped');
    expect(events.at(-1)).toMatchObject({ kind: 'stopped', reason: 'requested', step: status!.step });
    // Samples of the machine continue where training does, also after a kill between two checkpoints.
    const before = await resourcesOf(out);
    const again = lab.start('train', '--resume', run);
    const killed = new Promise((r) => again.once('exit', r));
    await sampled(before.length + 1);
    again.kill('SIGKILL');
    await killed;
    const after = await resourcesOf(out);
    expect(after.slice(0, before.length)).toEqual(before);
    const steps = after.map(({ step }) => step);
    expect(steps).toEqual(steps.toSorted((a, b) => a - b));
    expect(steps.at(-1)).toBeGreaterThanOrEqual(status!.step);
    for (const { processCpu, machineMemory } of after) {
      expect(processCpu).toBeGreaterThan(0);
      expect(processCpu).toBeLessThanOrEqual(1);
      expect(machineMemory).toBeGreaterThan(1e6);
    }
  });

  it('refuses to resume a finished run', () => {
    const r = lab.run('train', '--resume', whole);
    expect(r.code).toBe(20);
    expect(r.err).toContain('has finished');
  });

  it('stops at the first non-finite number and names the step and the tensor', () => {
    const r = lab.run(
      'train',
      lab.experiment,
      '--out',
      lab.path('nan'),
      '--set',
      'training.learningRate=1e30',
      '--set',
      'training.maxGradientNorm=0',
      '--set',
      'training.warmupRatio=0',
    );
    expect(r.code).toBe(17);
    expect(r.err).toMatch(/diverged at step \d+: the (gradient of [\w.]+|loss) is/);
    expect(readRun(lab.runs(lab.path('nan'))[0]).status?.state).toBe('failed');
  });

  it('also trains LoRA and the head alone', () => {
    const lora = trained('lora', '--set', 'adapter={"method":"lora","rank":2,"targetModules":["query"]}');
    expect(readRun(lora).result).toMatchObject({ method: 'lora', trained: { adapters: 2 * 2 * 64 } });
    const config = JSON.parse(readFileSync(join(lora, 'adapter/best/adapter_config.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    expect(config).toMatchObject({
      peft_type: 'LORA',
      r: 2,
      target_modules: ['layer.0.query', 'layer.1.query'],
    });
    const head = trained('head', '--set', 'adapter={"method":"none"}');
    expect(readRun(head).result).toMatchObject({ method: 'none', trained: { adapters: 0, head: 66 } });
  });

  it('stops early if the validation metric no longer improves', () => {
    const run = trained(
      'early',
      '--set',
      'training.epochs=100',
      '--set',
      'training.earlyStopping={"patience":2}',
    );
    const { events, result } = readRun(run);
    expect(result).toMatchObject({ outcome: 'early-stopping' });
    expect(events.some((e) => e.kind === 'stopped' && e.reason === 'early-stopping')).toBe(true);
  });
});
