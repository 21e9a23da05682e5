import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ranked, stateText, valueOf } from '../../../src/cli/commands/sweep/sweep-progress';
import { outcomeOf, shownState } from '../../../src/runs/outcome';
import { readRunSummary } from '../../../src/runs/run-summary';
import { studyRun } from '../../../src/runs/run-in-study';
import { bestOf, lookAtTrial } from '../../../src/runs/sweep/look';
import type { NewEvent } from '../../../src/protocol/events';
import { bestBy, type Evaluation } from '../../../src/protocol/evaluations';
import { evaluated, finished, makeRun, started } from '../extension/run-maker';
import { temporaryFolders } from './folder';

const folder = temporaryFolders();
const make = (options: Parameters<typeof makeRun>[1]) => makeRun(join(folder(), 'demo.aurora.json'), options);

const exploded = (step: number): NewEvent => ({
  ...{ kind: 'diverged-evaluation', step, epoch: step / 40, seconds: 1 },
  reason: 'non-finite',
});
const failed: NewEvent = { kind: 'failed', step: 90, error: 'diverged', message: 'Training diverged.' };
const result = { steps: 120, outcome: 'finished' };

describe('a journal with evaluations that diverged', () => {
  const run = () =>
    make({
      events: [started, evaluated(40, 0.6), exploded(80), exploded(120), finished(120, 0.5)],
      status: { state: 'finished', step: 120 },
      result,
    });

  it('is a diverged run for a study, not a finished one', async () => {
    const summary = readRunSummary(run());
    expect(outcomeOf(summary)).toBe('diverged');
    expect(shownState(summary, 0)).toBe('failed');
    expect(await studyRun(summary, 'x')).toMatchObject({ unfit: 'diverged', spec: summary.spec });
  });

  it('is a finished run if its last evaluation is finite', () => {
    const events = [started, exploded(40), evaluated(80, 0.6), finished(80, 0.6)];
    expect(outcomeOf(readRunSummary(make({ events, result })))).toBe('finished');
  });
});

describe('a trial that diverged', () => {
  const record = (number: number) => ({ id: `t${number}`, number, settings: {}, planned: true });
  const good = () => make({ events: [started, evaluated(40, 0.6)], status: { state: 'stopped', step: 40 } });

  it('is never the best of a sweep by any metric, whether its last or an earlier evaluation diverged', () => {
    const trials = [
      make({ events: [started, exploded(40)], status: { state: 'failed', step: 40 } }),
      make({ events: [started, evaluated(40, 0.9), failed], status: { state: 'failed', step: 90 } }),
      good(),
    ].map((run, i) => lookAtTrial(record(i + 1), run));
    for (const metric of ['accuracy', 'loss', 'f1', 'matthews'] as const)
      expect(ranked(trials, metric).map((t) => t.record.number)).toEqual([3, 1, 2]);
    expect(bestOf(trials[0], 'loss')).toBeUndefined();
    expect(valueOf(trials[0], 'loss')).toBe('');
    expect(trials.map(stateText)).toEqual(['failed at step 40', 'diverged at step 90', 'stopped at step 40']);
  });

  it('has no best evaluation if the last trained form has none', () => {
    const { events } = readRunSummary(good());
    const before = events.filter((e) => e.kind === 'evaluation') as Evaluation[];
    const { v, seq, t } = before[0];
    const at = { v, seq, t, step: 80, epoch: 2, seconds: 1 };
    const exploded = { ...at, kind: 'diverged-evaluation', reason: 'exploded', form: 'static' } as const;
    expect(bestBy('accuracy', [...before, exploded])).toBeUndefined();
    expect(bestBy('accuracy', [...before, { ...exploded, form: undefined }])).toBe(before[0]);
  });
});
