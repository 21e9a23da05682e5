import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readRun } from '../read-run';
import { trialOf } from '../../src/runs/sweep/record';
import { Lab } from './lab';

const ABOVE = { targetModules: ['query', 'value'], layersToTransform: [1] };
const TRIALS = [
  { adapter: { method: 'lora', rank: 2, dropout: 0.1, ...ABOVE } },
  { adapter: { method: 'aurora', rank: 2, ...ABOVE }, 'training.seed': 8 },
  { adapter: { method: 'dora', rank: 4, ...ABOVE } },
  { adapter: { method: 'none' } },
  { adapter: { method: 'none' }, 'training.learningRate': 0.02 },
  { adapter: { method: 'lora', rank: 2, targetModules: ['query', 'value'] } },
];
const ON_CPU = ['--device', 'cpu', '--threads', '1'];

const lab = new Lab({ training: { epochs: 2 }, sweep: { type: 'list', trials: TRIALS } });
afterAll(() => lab.remove());

const sumOf = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');

/** A run's results: its adapter, head and losses, bit for bit. */
function learned(run: string) {
  const { scalars, events } = readRun(run);
  return {
    adapter: sumOf(join(run, 'adapter/last/adapter_model.safetensors')),
    losses: [...scalars.column('loss')!],
    evaluations: events.flatMap((e) => (e.kind === 'evaluation' ? [e.metrics] : [])),
  };
}

const reused = (run: string) =>
  readRun(run).events.flatMap((e) => (e.kind === 'reused' ? [[e.upTo, e.found]] : []));

describe('the layers below the adapters', () => {
  it(
    'are computed once for all trials of a sweep, which train to the same bits as single runs',
    { timeout: 900_000 },
    () => {
      expect(lab.run('sweep', lab.experiment, '--parallel', '1', ...ON_CPU).code).toBe(0);
      const runs = readdirSync(lab.path('.aurora/runs/tiny'))
        .map((name) => lab.path(`.aurora/runs/tiny/${name}`))
        .sort((a, b) => trialOf(a)!.number - trialOf(b)!.number);
      const [lora, aurora, dora, head, again, all] = runs.map(reused);
      const [[layer]] = lora;
      expect(layer).toMatch(/layer\.0/);
      expect([lora, aurora, dora]).toEqual([[[layer, false]], [[layer, true]], [[layer, true]]]);
      expect([head, again].flat().map(([, found]) => found)).toEqual([false, true]);
      // With adapters in every layer, only the embedding is left, which is not worth a file.
      expect(all).toEqual([]);
      for (const [i, settings] of TRIALS.entries()) {
        const set = Object.entries(settings).flatMap(([k, v]) => ['--set', `${k}=${JSON.stringify(v)}`]);
        const out = lab.path(`alone-${i}`);
        expect(lab.run('train', lab.experiment, '--out', out, ...ON_CPU, ...set).code).toBe(0);
        const [alone] = lab.runs(out);
        expect(reused(alone)).toEqual([]);
        expect(learned(runs[i])).toEqual(learned(alone));
      }
      // Nothing needs it any more.
      const [sweep] = readdirSync(lab.path('.aurora/sweeps/tiny'));
      expect(existsSync(lab.path(`.aurora/sweeps/tiny/${sweep}/frozen`))).toBe(false);
    },
  );
});
