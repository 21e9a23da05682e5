import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRun } from '../read-run';
import type { PreflightLine, PreflightModules } from '../../src/protocol/preflight';
import { writeTwoOutputs } from '../two-outputs';
import { Lab, warnings } from './lab';

describe('a model with a second output that the task does not use', () => {
  let lab: Lab;
  beforeAll(() => {
    lab = new Lab({ training: { epochs: 1, maxSteps: 2, evaluateEvery: 2, checkpointEvery: 2 } });
    writeTwoOutputs(lab.path('model.onnx'));
  });
  afterAll(() => lab.remove());

  const modulesOf = (out: string) =>
    out
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as PreflightLine)
      .find((line): line is PreflightModules => line.kind === 'modules')!;

  it('trains "all-linear" on the layers that affect the loss, with the same counts in budget and preflight', () => {
    const all = ['--set', 'adapter.targetModules=all-linear'];
    const out = lab.path('runs');
    const trained = lab.run('train', lab.experiment, '--out', out, '--device', 'cpu', ...all);
    expect(trained.err).toContain('"all-linear" leaves out pooler.dense (does not reach the loss)');
    expect(trained.code).toBe(0);
    const [run] = lab.runs(out);
    expect(warnings(run)).toContain('"all-linear" leaves out pooler.dense (does not reach the loss).');
    const started = readRun(run).events.find((e) => e.kind === 'started')!;
    expect(started.modules).toHaveLength(12);

    const checked = lab.run('preflight', lab.experiment, '--json', '--steps', '1', '--device', 'cpu', ...all);
    const modules = modulesOf(checked.out);
    expect(modules.modules.map((m) => m.path)).toEqual(started.modules);
    expect(modules.adapterParameters).toBe(started.trainable);
    expect(modules.leftOut).toEqual([{ path: 'pooler.dense', why: 'unreached' }]);

    const counted = lab.run('budget', lab.experiment, '--json', '--targets', 'all-linear');
    expect(JSON.parse(counted.out)).toMatchObject({
      trainable: started.trainable,
      leftOut: [{ path: 'pooler.dense', why: 'unreached' }],
    });
    expect(lab.run('inspect', lab.path('model.onnx')).out).toMatch(
      /pooler\.dense .* reaches only pooler_output/,
    );
  });

  it.each(['train', 'preflight', 'budget'])(
    'makes %s reject a list that names a layer of that output',
    (command) => {
      const experiment = JSON.parse(lab.read('tiny.aurora.json')) as { adapter: object };
      lab.write(
        'named.aurora.json',
        JSON.stringify({
          ...experiment,
          adapter: { ...experiment.adapter, targetModules: ['query', 'dense'] },
        }),
      );
      const r = lab.run(command, lab.path('named.aurora.json'));
      expect(r.code).toBe(10);
      expect(r.err).toContain('a layer that does not reach the loss: pooler.dense.');
      expect(r.err).toContain('excludeModules');
    },
  );

  it('trains the layer if the task uses that output', () => {
    const out = lab.path('pooled');
    const r = lab.run(
      'train',
      lab.experiment,
      '--out',
      out,
      '--device',
      'cpu',
      ...['--set', 'model.output=pooler_output', '--set', 'adapter.targetModules=["query","dense"]'],
    );
    expect(r.code).toBe(0);
    const started = readRun(lab.runs(out)[0]).events.find((e) => e.kind === 'started')!;
    expect(started.modules).toContain('pooler.dense');
  });
});
