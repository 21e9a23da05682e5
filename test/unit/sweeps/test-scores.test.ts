import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { NewEvent, RunStatus } from '../../../src/protocol/events';
import { lookAtTrial, type TrialView } from '../../../src/runs/sweep/look';
import { decide, decideRates } from '../../../src/sweeps/halving';
import { evaluated, makeRun, metrics, started } from '../extension/run-maker';
import { temporaryFolders } from '../runs/folder';

const folder = temporaryFolders();
let number = 0;

/**
 * A trial as its sweep reads it, with an accuracy on the validation data after 20 steps; or after 10 if it has finished,
 * with another one on its test set.
 */
function trial(id: string, settings: Record<string, number>, validation: number, test?: number): TrialView {
  const step = test === undefined ? 20 : 10;
  const scores: NewEvent[] = [undefined, 'films'].map((set) => ({
    ...{ kind: 'test-evaluation', step, seconds: 1, metrics: metrics(test ?? 0) },
    set,
  }));
  const events = [started, evaluated(step, validation), ...(test === undefined ? [] : scores)];
  const state: RunStatus['state'] = test === undefined ? 'stopped' : 'finished';
  const run = makeRun(join(folder(), 'demo.aurora.json'), {
    status: { state, step },
    events,
    ...(test !== undefined && { result: { steps: step } }),
  });
  return lookAtTrial({ id, number: ++number, settings, planned: true }, run);
}

const kinds = (verdicts: ReadonlyMap<string, { kind: string }>) =>
  Object.fromEntries([...verdicts].map(([id, { kind }]) => [id, kind]));

describe('a sweep with a test set', () => {
  it('prunes by the validation data alone', () => {
    const trials = (test: number) => [trial('a', {}, 0.4, test), trial('b', {}, 0.5), trial('c', {}, 0.3)];
    for (const test of [0.99, 0.01])
      expect(kinds(decide(trials(test), { eta: 3, minSteps: 20 }, 'accuracy'))).toEqual({
        a: 'over',
        b: 'go',
        c: 'prune',
      });
  });

  it('chooses a learning rate by the validation data alone', () => {
    const rate = (learningRate: number, seed: number) => ({
      'training.learningRate': learningRate,
      'training.seed': seed,
    });
    const waiting = (id: string, learningRate: number): TrialView =>
      lookAtTrial({ id, number: ++number, settings: rate(learningRate, 2), planned: true }, undefined);
    const trials = [
      trial('a', rate(0.1, 1), 0.5, 0.9),
      trial('b', rate(0.2, 1), 0.6, 0.1),
      waiting('a2', 0.1),
      waiting('b2', 0.2),
    ];
    expect(kinds(decideRates(trials, { seeds: 1 }, 'accuracy'))).toEqual({
      a: 'over',
      b: 'over',
      a2: 'prune',
      b2: 'go',
    });
  });
});
