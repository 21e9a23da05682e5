import { existsSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import type { SweepSpec } from '../../src/shared/sweep';
import { writeTwoOutputs } from '../two-outputs';
import { Lab } from './lab';

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

describe('before a sweep trains its first trial', () => {
  it('it checks all of them, and reports every one that could not be trained with its settings', () => {
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
      expect(r.err).toMatch(/trial 4 \(.*1000.*\): .*larger than the layer/);
      expect(r.err).toMatch(/trial 5 \(.*kind.*\): .*train\.jsonl/);
      expect(r.err).toMatch(/trial 6 \(.*pooler.*\): .*has no output "pooler"/);
      expect(r.err).toMatch(/trial 7 \(.*other\.onnx.*\): .*other\.onnx/);
      expect(r.err).not.toContain('trial 2');
      expect(existsSync(lab.path('.aurora/runs/tiny'))).toBe(false);
    }
  });

  it('trials that are wrong in one way end it with the exit code of that', () => {
    const r = sweep(labWith([{ 'adapter.rank': 1 }, { 'adapter.targetModules': ['dense'] }]));
    expect(r.code).toBe(10);
    expect(r.err).toContain('1 of 2 trials cannot be trained');
    expect(r.err).toContain('excludeModules');
  });

  it('it measures the largest, and the next one where the model has no positions for that', () => {
    const lab = labWith([{ 'model.maxLength': 8 }, { 'model.maxLength': 4000 }]);
    const long = JSON.stringify({ text: 'the cat '.repeat(1500), label: 'pets' });
    lab.write('train.jsonl', `${lab.read('train.jsonl')}${long}\n`);
    const r = sweep(lab);
    expect(r.code).toBe(4);
    expect(r.err).toContain('1 of 2 trials cannot be trained');
    expect(r.err).toContain('trial 2 (');
    expect(existsSync(lab.path('.aurora/runs/tiny'))).toBe(false);
  });

  it('a trial that is added later is checked, and those that are there go on', () => {
    const lab = labWith([{ 'adapter.rank': 1 }]);
    expect(sweep(lab).code).toBe(0);
    const experiment = JSON.parse(lab.read('tiny.aurora.json')) as { sweep: SweepSpec };
    const write = (trials: SweepSpec['trials']) =>
      lab.write('tiny.aurora.json', JSON.stringify({ ...experiment, sweep: { type: 'list', trials } }));
    write([{ 'adapter.rank': 1 }, { 'adapter.targetModules': ['dense'] }]);
    expect(sweep(lab).err).toContain('1 of 1 trial cannot be trained');
    write([{ 'adapter.rank': 1 }, { 'adapter.rank': 2 }]);
    expect(sweep(lab).code).toBe(0);
    expect(lab.runs(lab.path('.aurora/runs/tiny'))).toHaveLength(2);
  });
});
