import { expect, it } from 'vitest';
import { requestCancel, requestResume, takeCancelled, takeResumed } from '../../../src/runs/sweep/cancel';
import type { TrialView } from '../../../src/runs/sweep/look';
import { Attempts } from '../../../src/sweeps/attempts';
import { temporaryFolders } from '../runs/folder';

const folder = temporaryFolders();
const trial = (more: Partial<TrialView>): TrialView => ({
  record: { id: 't1', number: 1, settings: {}, planned: true },
  ...{ state: 'running', step: 0, steps: 10, evaluations: [] },
  ...more,
});
const stopped = trial({ state: 'stopped', reason: 'requested', step: 3 });

it('requests to cancel and to resume are taken once, by number', () => {
  const sweep = folder();
  requestCancel(sweep, [1, 12]);
  requestResume(sweep, [3]);
  expect([takeCancelled(sweep).sort((a, b) => a - b), takeResumed(sweep)]).toEqual([[1, 12], [3]]);
  expect([takeCancelled(sweep), takeResumed(sweep)]).toEqual([[], []]);
});

it('a trial that was stopped while the queue ran starts again only once the user resumes it', () => {
  const attempts = new Attempts(false, false);
  attempts.launched(trial({}));
  attempts.seen(trial({}));
  expect(attempts.mayLaunch(attempts.seen(stopped))).toBe(false);
  attempts.resume(stopped);
  expect(attempts.mayLaunch(attempts.seen(stopped))).toBe(true);
  attempts.launched(stopped);
  attempts.seen(trial({ step: 4 }));
  expect(attempts.mayLaunch(attempts.seen({ ...stopped, step: 5 }))).toBe(false);
});

it('a trial that was cancelled is not started before it is resumed', () => {
  const attempts = new Attempts(false, false);
  attempts.cancel(trial({ state: 'waiting' }));
  expect(attempts.mayLaunch(trial({ state: 'waiting' }))).toBe(false);
  attempts.resume(trial({ state: 'waiting' }));
  expect(attempts.mayLaunch(trial({ state: 'waiting' }))).toBe(true);
});

it('a trial that is given up says what ended its trainer', () => {
  const attempts = new Attempts(false, false);
  const lost = (end?: TrialView['end']) =>
    trial({ state: 'lost', step: 3, folder: '/runs/a', ...(end && { end }) });
  for (let i = 0; i < 3; i++) attempts.launched(lost());
  expect(attempts.seen(lost({ signal: 'SIGKILL' })).error).toEqual({
    message:
      'Its trainer ended unexpectedly 3 times at step 3: it was killed (SIGKILL), most likely because memory ran out.',
    hint: 'See its log in /runs/a.',
  });
  for (const end of [undefined, {}])
    expect(attempts.seen(lost(end)).error?.message).toBe('Its trainer ended unexpectedly 3 times at step 3.');
});

it('failed starts by other processes count, until a new step or the user resets them', () => {
  const lost = (times: number, at: number) =>
    trial({
      ...{ state: 'lost', step: 3 },
      cluster: { state: 'lost', job: '1_0', lost: { times: 9, at: 0, inVain: { step: at, times } } },
    });
  const seen = (view: TrialView, retry = false) => new Attempts(retry, false).seen(view).state;
  expect([seen(lost(2, 3)), seen(lost(3, 3)), seen(lost(3, 2)), seen(lost(3, 3), true)]).toEqual([
    ...['lost', 'failed', 'lost', 'lost'],
  ]);
  const attempts = new Attempts(false, false);
  attempts.resume(lost(3, 3));
  expect(attempts.seen(lost(3, 3)).state).toBe('lost');
});
