import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { agreedArguments } from '../../src/runs/experiment/agreed-text';
import { runPaths } from '../../src/runs/layout';
import { readStatus } from '../../src/runs/status';
import { readSweep } from '../../src/runs/sweep/record';
import type { SweepSpec } from '../../src/experiment/sweep';
import { writeTwoOutputs } from '../two-outputs';
import { until } from '../until';
import { CLI, Lab } from './lab';

const labs: Lab[] = [];
afterEach(() => labs.splice(0).forEach((lab) => lab.remove()));

function labWith(trials: NonNullable<SweepSpec['trials']>): Lab {
  const lab = new Lab({
    training: { epochs: 1, maxSteps: 2, evaluateEvery: 2, checkpointEvery: 2 },
    sweep: { type: 'list', trials },
  });
  writeTwoOutputs(lab.path('model.onnx'));
  labs.push(lab);
  return lab;
}

const sweep = (lab: Lab, ...more: string[]) =>
  lab.run('sweep', lab.experiment, '--parallel', '2', '--device', 'cpu', ...more);

describe('checking a sweep before its first trial', () => {
  it('reports every trial that cannot be trained, with its settings', () => {
    const lab = labWith([
      { 'adapter.targetModules': ['nowhere'] },
      { 'training.learningRate': 0.01 },
      { 'adapter.targetModules': ['dense'] },
      { 'adapter.rank': 1000 },
      { 'data.labelColumn': 'kind' },
      { 'model.output': 'pooler' },
      { 'model.path': 'other.onnx' },
    ]);
    for (const more of [[], ['--dry-run']]) {
      const r = sweep(lab, ...more);
      expect(r.code).toBe(3);
      expect(r.err).toContain('error: 6 of 7 trials cannot be trained; none has been started.');
      expect(r.err).toMatch(/trial 1 \(.*nowhere.*\): .*matched none of the 13 linear layers/);
      expect(r.err).toMatch(/trial 3 \(.*dense.*\): .*does not reach the loss: pooler\.dense/);
      expect(r.err).toMatch(/trial 4 \(.*1000.*\): .*too large for the layer/);
      expect(r.err).toMatch(/trial 5 \(.*kind.*\): .*train\.jsonl/);
      expect(r.err).toMatch(/trial 6 \(.*pooler.*\): .*has no output "pooler"/);
      expect(r.err).toMatch(/trial 7 \(.*other\.onnx.*\): .*other\.onnx/);
      expect(r.err).not.toContain('trial 2');
      expect(existsSync(lab.path('.aurora/runs/tiny'))).toBe(false);
    }
    const sweeps = lab.path('.aurora/sweeps/tiny');
    expect(readStatus(join(sweeps, readdirSync(sweeps)[0]))).toMatchObject({ state: 'failed', steps: 0 });
  });

  it('starts only with the text that was agreed to, as a preflight does', () => {
    const lab = labWith([{ 'training.learningRate': 0.01 }]);
    const [option, hash] = agreedArguments(lab.read('tiny.aurora.json'));
    const starts = [
      ['sweep', lab.experiment, '--dry-run', '--device', 'cpu', option, hash],
      ['preflight', lab.experiment, '--steps', '1', '--device', 'cpu', option, hash],
    ];
    for (const start of starts) expect(lab.run(...start).code).toBe(0);
    lab.write('tiny.aurora.json', `${lab.read('tiny.aurora.json')} `);
    for (const start of starts) {
      const r = lab.run(...start);
      expect([r.code, r.err]).toEqual([2, expect.stringContaining('no longer the text that was agreed to')]);
    }
    expect(existsSync(lab.path('.aurora/sweeps'))).toBe(false);
  });

  it('names a problem that all trials share once, without listing them', () => {
    const lab = labWith([0.01, 0.02, 0.03].map((rate) => ({ 'training.learningRate': rate })));
    const experiment = JSON.parse(lab.read('tiny.aurora.json')) as { data: object };
    const data = { ...experiment.data, labelColumn: 'kind' };
    lab.write('tiny.aurora.json', JSON.stringify({ ...experiment, data }));
    const { code, err } = sweep(lab);
    expect({ code, err }).toMatchObject({ code: 13 });
    expect(err).toMatch(/^error: None of the 3 trials can be trained: .*train\.jsonl.* "kind"/m);
    expect(err.match(/"kind"/g)).toHaveLength(1);
  });

  it('names a problem that some trials share once, with their numbers', () => {
    const lab = labWith([
      { 'data.labelColumn': 'kind' },
      { 'data.labelColumn': 'kind', 'training.learningRate': 0.01 },
      { 'data.labelColumn': 'kind', 'training.learningRate': 0.02 },
      { 'training.learningRate': 0.01 },
      { 'adapter.rank': 1000 },
    ]);
    const { err } = sweep(lab);
    expect(err).toContain('error: 4 of 5 trials cannot be trained; none has been started.');
    expect(err).toMatch(/trials 1-3: .*train\.jsonl/);
    expect(err).toMatch(/trial 5 \(rank 1000\): .*too large for the layer/);
    expect(err.match(/"kind"/g)).toHaveLength(1);
  });

  it.skipIf(process.platform === 'win32')(
    'is shown as running and can be stopped through its folder',
    async () => {
      const lab = labWith([{ 'training.learningRate': 0.01 }, { 'training.learningRate': 0.02 }]);
      const { env, file } = lab.hanging('check-trials');
      const args = ['sweep', lab.experiment, '--parallel', '1', '--device', 'cpu'];
      const child = spawn(process.execPath, [CLI, ...args], {
        stdio: 'ignore',
        env: { ...process.env, ...env },
      });
      const exit = once(child, 'exit');
      await until(() => existsSync(file));
      const sweeps = lab.path('.aurora/sweeps/tiny');
      const folder = join(sweeps, readdirSync(sweeps)[0]);
      expect(readSweep(folder)!.trials.every((t) => t.unchecked)).toBe(true);
      expect(readStatus(folder)).toMatchObject({ state: 'running', pid: child.pid });
      mkdirSync(runPaths(folder).control, { recursive: true });
      writeFileSync(join(runPaths(folder).control, 'stop'), '');
      expect((await exit)[0]).toBe(130);
      expect(readStatus(folder)).toMatchObject({ state: 'stopped', steps: 0 });
      expect(existsSync(lab.path('.aurora/runs/tiny'))).toBe(false);
    },
  );

  it('fails with the exit code of the only kind of problem', () => {
    const r = sweep(labWith([{ 'adapter.rank': 1 }, { 'adapter.targetModules': ['dense'] }]));
    expect(r.code).toBe(10);
    expect(r.err).toContain('1 of 2 trials cannot be trained');
    expect(r.err).toContain('excludeModules');
  });

  it('measures the largest trial, and the next one if the model has too few positions', () => {
    const lab = labWith([{ 'model.maxLength': 8 }, { 'model.maxLength': 4000 }]);
    const long = JSON.stringify({ text: 'the cat '.repeat(1500), label: 'pets' });
    lab.write('train.jsonl', `${lab.read('train.jsonl')}${long}\n`);
    const r = sweep(lab);
    expect(r.code).toBe(4);
    expect(r.err).toContain('1 of 2 trials cannot be trained');
    expect(r.err).toContain('trial 2 (');
    expect(existsSync(lab.path('.aurora/runs/tiny'))).toBe(false);
  });

  it('includes a trial added later, and existing trials continue', () => {
    const lab = labWith([{ 'adapter.rank': 1 }]);
    expect(sweep(lab).code).toBe(0);
    const experiment = JSON.parse(lab.read('tiny.aurora.json')) as { sweep: SweepSpec };
    const write = (trials: SweepSpec['trials']) =>
      lab.write('tiny.aurora.json', JSON.stringify({ ...experiment, sweep: { type: 'list', trials } }));
    write([{ 'adapter.rank': 1 }, { 'adapter.targetModules': ['dense'] }]);
    expect(sweep(lab).err).toMatch(/Trial 2 \(.*dense.*\) cannot be trained: /);
    write([{ 'adapter.rank': 1 }, { 'adapter.rank': 2 }]);
    expect(sweep(lab).code).toBe(0);
    expect(lab.runs(lab.path('.aurora/runs/tiny'))).toHaveLength(2);
  });
});
