import { describe, expect, it } from 'vitest';
import type { JobState, SubmittedTask } from '../../../../src/executors/cluster/scheduler';
import { trialState } from '../../../../src/executors/cluster/submitted-trials';
import type { TrialView } from '../../../../src/runs/sweep/look';

const record: TrialView['record'] = { id: 'a', number: 1, settings: {}, planned: true, run: 'r' };
const task: SubmittedTask = { trial: 'a', number: 1, run: 'r', step: 10 };

const view = (state: TrialView['state'], over: Partial<TrialView> = {}): TrialView => ({
  ...{ record, folder: '/r', state, step: 20, steps: 100, evaluations: [] },
  ...over,
});
const nothing = view('waiting', { folder: undefined, step: 0 });
const stopped = (reason: TrialView['reason'], step = 20) => view('stopped', { reason, step });
const job = (state: JobState['state'], over: Partial<JobState> = {}): JobState => ({
  ...{ state, job: '7_0' },
  ...over,
});
const exit = (exitCode: number) => job('failed', { exitCode });

describe('a trial on a cluster', () => {
  it.each<[string, TrialView, JobState | undefined, string]>([
    ['waits', nothing, job('queued'), 'queued'],
    ['waits again after preemption', stopped('preempted'), job('preempted'), 'queued'],
    ['waits again after a failure that is retried', view('failed'), job('queued'), 'queued'],
    ['begins', nothing, job('running'), 'starting'],
    ['begins again, whatever its folder says of before', view('failed'), job('running'), 'starting'],
    ['is trained', view('running'), job('running'), 'running'],
    ['is trained, although the scheduler has forgotten it', view('running'), undefined, 'running'],
    ['has finished, although its job failed after that', view('finished'), exit(1), 'finished'],
    ['has finished, and is forgotten', view('finished'), undefined, 'finished'],
    ['has failed', view('failed'), exit(17), 'failed'],
    ['is at a comparison', stopped('rung'), job('finished', { exitCode: 0 }), 'stopped rung'],
    ['was stopped', stopped('requested'), exit(130), 'stopped requested'],
    ['was stopped before a further step', stopped('requested', 10), exit(130), 'stopped requested'],
    ['was cancelled before it began', nothing, job('cancelled'), 'stopped requested'],
    [
      'was cancelled while it ran, and has saved',
      stopped('preempted'),
      job('cancelled'),
      'stopped requested',
    ],
    ['was cancelled, and has not saved', view('lost'), job('cancelled'), 'stopped requested'],
    ['has saved, and nothing starts it again', stopped('preempted'), exit(75), 'stopped preempted'],
    ['lost its node', view('lost'), job('lost', { code: 'NODE_FAIL' }), 'lost'],
    ['lost its node before it began', nothing, job('lost'), 'lost'],
    ['lost its node on the way to the next comparison', stopped('rung', 10), job('lost'), 'lost'],
    ['lost its node before it was resumed', stopped('requested', 10), job('lost'), 'lost'],
    ['is forgotten, unfinished', view('lost'), undefined, 'lost'],
    ['ended without a trace', nothing, job('finished', { exitCode: 0 }), 'lost'],
    ['cannot be trained', nothing, exit(3), 'failed'],
  ])('%s', (_, seen, said, expected) => {
    const found = trialState(seen, task, said, true);
    expect([found.state, found.reason].filter(Boolean).join(' ')).toBe(expected);
  });

  it('has failed with the reason that the scheduler has, if its folder has none', () => {
    const message = (over: Partial<JobState>) =>
      trialState(nothing, task, job('failed', { exitCode: 2, ...over }), true).error?.message;
    expect(message({})).toBe('It ended before its first step, with exit code 2.');
    expect(message({ detail: 'The image is old.' })).toBe('The image is old.');
  });

  it('is not given up before a shared disk can show how it ended', () => {
    expect(trialState(view('lost'), task, job('finished', { exitCode: 0 }), false).state).toBe('running');
    expect(trialState(nothing, task, undefined, false).state).toBe('queued');
    expect(trialState(stopped('rung'), task, job('finished', { exitCode: 0 }), false).state).toBe('stopped');
  });

  it('carries what the scheduler says, and says itself that it is lost', () => {
    const said = exit(137);
    expect(trialState(view('lost'), task, { ...said, code: 'OUT_OF_MEMORY' }, true).cluster).toEqual({
      ...said,
      ...{ code: 'OUT_OF_MEMORY', state: 'lost' },
    });
  });
});
