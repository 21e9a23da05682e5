import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { AlarmBatches } from '../../../src/extension/notices/alarm-batches';
import type { RunEntry, ShownState } from '../../../src/extension/runs/store';
import { alarmNotice } from '../../../src/extension/words/alarm-text';
import { endNotice } from '../../../src/extension/words/end-text';
import { runDetails } from '../../../src/extension/words/run-details';
import { runRow } from '../../../src/extension/words/run-row';
import { statusText } from '../../../src/extension/words/status-text';
import type { Alarm } from '../../../src/protocol/alarms';
import type { NewEvent, RunEvent } from '../../../src/protocol/events';
import { readRunSummary } from '../../../src/runs/run-summary';
import { temporaryFolders } from '../runs/folder';
import { context } from './row-context';
import { evaluated, finished, makeRun, spec, started } from './run-maker';

const folder = temporaryFolders();

const jump: Alarm = {
  ...{ alarm: 'loss-jump', step: 30, since: 25 },
  ...{ value: 12.3, threshold: 2.1, reference: 0.7 },
};
const norm: Alarm = {
  ...{ alarm: 'gradient-explosion', step: 28, since: 23 },
  ...{ value: 400, threshold: 100, reference: 1 },
};
const asEvent = (alarm: Alarm): NewEvent => ({ kind: 'alarm', ...alarm });
const exploded = (step: number): NewEvent => ({
  ...{ kind: 'diverged-evaluation', step, epoch: 1, reason: 'exploded', seconds: 1 },
  metrics: { loss: 40, accuracy: 0.5, examples: 24 },
});
const baseline = { answer: 'always "ham"', metric: 'accuracy', value: 0.6 };

function entry(
  state: ShownState,
  events: NewEvent[],
  result?: Record<string, unknown>,
  headRate = spec.training.headLearningRate,
): RunEntry {
  const training = { ...spec.training, headLearningRate: headRate };
  const run = makeRun(join(folder(), 'demo.aurora.json'), {
    ...{ events: [started, ...events], status: { step: 60 }, result, spec: { ...spec, training } },
  });
  const summary = readRunSummary(run);
  return { folder: run, id: summary.id, experiment: 'demo.aurora.json', state, run: summary, user: {} };
}

describe("a run's row with alarms", () => {
  it('has a warning, names the first, and says so to screen readers', () => {
    const row = runRow(entry('running', [asEvent(norm), asEvent(jump)]), context);
    expect(row.icon.id).toBe('warning');
    expect(row.description).toContain('gradients exploded at step 28 and 1 more');
    expect(row.spoken).toContain('running, warning, step 60/120');
    const { facts } = runDetails(entry('running', [asEvent(jump)]), 'en');
    expect(facts).toContainEqual([
      'Alarm at step 30',
      'The training loss has jumped to 12.300; its average was 0.7000 (limit 2.1000).',
    ]);
  });

  it('has no tick after diverged evaluations without an alarm, and says how many there were', () => {
    const all = Array.from({ length: 9 }, (_, i) => exploded(10 + i));
    const run = entry('finished', [...all, evaluated(40, 0.7), finished(60, 0.7)], {
      ...{ outcome: 'finished', steps: 60, best: { accuracy: 0.7 } },
    });
    const row = runRow(run, context);
    expect(row.icon.id).toBe('warning');
    expect(row.description).toContain('9 evaluations diverged');
    expect(row.spoken).toContain('finished, warning');
    expect(endNotice(run).message).toMatch(/70\.0% accuracy\. During training: 9 evaluations diverged\.$/);
  });

  it('has no tick if a constant answer does better, which is named beside the metric', () => {
    const result = (accuracy: number) => ({ outcome: 'finished', steps: 60, baseline, best: { accuracy } });
    const at = (accuracy: number) =>
      entry('finished', [evaluated(40, accuracy), finished(60, accuracy)], result(accuracy));
    expect(runRow(at(0.5), context)).toMatchObject({
      icon: { id: 'warning' },
      lead: '50.0%',
      description: expect.stringMatching(
        /^accuracy, worse than a constant answer \(always "ham": 60\.0%\) · /,
      ),
    });
    expect(endNotice(at(0.5)).message).toContain(
      '50.0% accuracy, worse than a constant answer (always "ham": 60.0%)',
    );
    expect(runRow(at(0.6), context).icon.id).toBe('pass-filled');
    expect(runRow(at(0.7), context).description).not.toContain('worse');
  });

  it('knows of a better constant answer from the alarm before there is a result', () => {
    const alarm: Alarm = {
      ...{ alarm: 'no-better-than-baseline', step: 40, since: 0, value: 0.5, threshold: 0.6, reference: 0.6 },
      ...{ metric: 'accuracy', answer: 'always "ham"' },
    };
    const row = (accuracy: number) =>
      runRow(entry('running', [asEvent(alarm), evaluated(40, accuracy)]), context);
    expect(row(0.5).description).toContain('worse than a constant answer (always "ham"');
    expect(row(0.8).description).not.toContain('worse than');
  });
});

it('the status bar warns of a run in trouble', () => {
  const run = { folder: '/r', experiment: 'demo', label: 'a', step: 50, steps: 100, loss: 12 };
  const alarm = 'loss jumped at step 30';
  expect(statusText([{ ...run, alarm }])).toEqual({
    text: '$(warning) demo 50% · loss 12.000 · loss jumped at step 30',
    spoken: 'AuroRA is training, with a warning: demo 50% · loss 12.000 · loss jumped at step 30',
    tooltip: ['demo · a · step 50 of 100 · loss 12.000 · loss jumped at step 30'],
    warns: true,
  });
  expect(statusText([run, { ...run, alarm }])!.text).toBe('$(warning) 2 runs · loss jumped at step 30');
});

describe('the notification', () => {
  it('of several alarms offers to stop, and to fork at the last checkpoint before the first', () => {
    const notice = alarmNotice(entry('running', []), [jump, norm], [10, 20, 24, 30]);
    expect(notice.message).toMatch(/^demo \(AuroRA r2 · \w{4}\): Step 30: The training loss has jumped/);
    expect(notice.message).toContain('Step 28: The gradient norm is 400; it was about 1 (limit 100).');
    expect(notice).toMatchObject({
      canStop: true,
      fork: {
        title: 'Fork with Lower Rate from Step 20',
        step: 20,
        overrides: ['training.learningRate=0.0002'],
      },
    });
  });

  it("forks from the beginning if there is no earlier checkpoint, with the head's own rate lowered, too", () => {
    expect(alarmNotice(entry('finished', [], undefined, 0.05), [jump], [30])).toMatchObject({
      canStop: false,
      fork: {
        title: 'Fork with Lower Rate from Step 0',
        overrides: ['training.learningRate=0.0002', 'training.headLearningRate=0.01'],
      },
    });
  });

  it('of a later alarm forks from before the first one of the run, and before any diverged evaluation', () => {
    const later: Alarm = { ...jump, alarm: 'plateau', step: 90, since: 70 };
    const run = (...events: NewEvent[]) => alarmNotice(entry('running', events), [later], [10, 20, 40, 60]);
    expect(run(asEvent(norm), asEvent(later)).fork.step).toBe(20);
    expect(run(exploded(41), asEvent(later)).fork.step).toBe(40);
    expect(run(asEvent(later)).fork.step).toBe(60);
  });

  it.each([
    ['a jump of the loss', asEvent(jump)],
    ['an explosion of the gradients', asEvent(norm)],
    ['a diverged evaluation', exploded(30)],
  ])('is not followed by another after %s, also in a window that opened since', (_, explosion) => {
    vi.useFakeTimers();
    try {
      const shown: string[] = [];
      const batches = new AlarmBatches(1000, (run) => shown.push(run));
      const event = (of: NewEvent, at: number) => ({ ...of, v: 1, seq: 0, t: at }) as RunEvent;
      const plateau = asEvent({ ...jump, alarm: 'plateau' });
      batches.note('exploded', [event(explosion, 1)]);
      batches.note('exploded', [event(explosion, 1), event(plateau, 9000)]);
      batches.note('calm', [event(plateau, 1)]);
      batches.note('calm', [event(plateau, 1), event(asEvent(norm), 9000)]);
      vi.advanceTimersByTime(5000);
      expect(shown).toEqual(['calm']);
    } finally {
      vi.useRealTimers();
    }
  });

  it('is one for alarms in quick succession, and none for those from before the window opened', () => {
    vi.useFakeTimers();
    try {
      const shown: [string, string[]][] = [];
      const batches = new AlarmBatches(1000, (run, alarms) =>
        shown.push([run, alarms.map(({ alarm }) => alarm)]),
      );
      const event = (alarm: Alarm, at: number) => ({ ...asEvent(alarm), v: 1, seq: 0, t: at }) as RunEvent;
      batches.note('old', [event(jump, 999)]);
      batches.note('run', []);
      batches.note('run', [event(norm, 1000)]);
      vi.advanceTimersByTime(2000);
      batches.note('run', [event(norm, 1000), event(jump, 1002)]);
      batches.note('run', [event(norm, 1000), event(jump, 1002)]);
      vi.advanceTimersByTime(5000);
      expect(shown).toEqual([['run', ['gradient-explosion', 'loss-jump']]]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('is not shown if its time is in the future, nor later', () => {
    vi.useFakeTimers({ now: 5000 });
    try {
      const shown: string[] = [];
      const batches = new AlarmBatches(1000, (run) => shown.push(run));
      const event = (at: number) => ({ ...asEvent(jump), v: 1, seq: 0, t: at }) as RunEvent;
      batches.note('from a repository', [event(5001), event(4e12)]);
      vi.advanceTimersByTime(10_000);
      batches.note('from a repository', [event(5001), event(4e12)]);
      batches.note('new', [event(15_000)]);
      vi.advanceTimersByTime(10_000);
      expect(shown).toEqual(['new']);
    } finally {
      vi.useRealTimers();
    }
  });
});
