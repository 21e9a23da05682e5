import { describe, expect, it } from 'vitest';
import { CPU } from '../../../../src/engine/place';
import { environment } from '../../../../src/training/process/environment';
import type { EvaluationMetrics } from '../../../../src/protocol/events';
import type { Checkpoint } from '../../../../src/training/checkpoint/checkpoint';
import { EarlyStopping } from '../../../../src/training/loop/early-stopping';
import { AdamW } from '../../../../src/training/optimizer/optimizer';
import { restoredState } from '../../../../src/training/checkpoint/state';

const good = { loss: 0.5, accuracy: 0.6, f1: 0.6, matthews: 0.2, examples: 10 } satisfies EvaluationMetrics;

/** The state of a run resumed from a checkpoint with this best evaluation (by accuracy). */
function restored(best: typeof good) {
  const fresh = {
    ...{ step: 0, parameters: new Map<string, Float32Array>(), lossScale: undefined },
    ...{ best: undefined, last: undefined, stopping: new EarlyStopping('accuracy') },
    optimizer: new AdamW([], { betas: [0.9, 0.999], epsilon: 1e-8 }),
    course: undefined,
  };
  const checkpoint: Checkpoint = {
    state: {
      ...{
        version: 1,
        step: 20,
        examplesSeen: 160,
        secondsSpent: 1,
        specHash: 'x',
        environment: environment(2, CPU),
      },
      best: { ...best, step: 10 },
      last: good,
      earlyStopping: { best: best.accuracy, reference: best.accuracy, withoutProgress: 1 },
    },
    parameters: new Map(),
    optimizer: { step: 20, firstMoments: new Map(), secondMoments: new Map() },
    course: new Map(),
  };
  return restoredState(fresh, checkpoint);
}

describe('the state of a resumed run', () => {
  it('contains the best evaluation of its checkpoint, which the next one must beat', () => {
    const state = restored({ ...good, accuracy: 0.9 });
    expect(state.best).toEqual({ step: 10, metrics: { ...good, accuracy: 0.9, step: 10 } });
    expect(state.stopping.update(0.6)).toMatchObject({ best: false });
  });
});
