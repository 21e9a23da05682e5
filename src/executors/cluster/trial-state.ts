import { EXIT } from '../../base/errors';
import type { ClusterTrial } from '../../protocol/run-files/cluster';
import type { TrialView } from '../../runs/sweep/look';
import type { SubmittedTask } from './scheduler';

/** Exit codes of a trainer that would end the same way again, from before it had a folder to report it in. */
const HOPELESS: readonly number[] = [EXIT.usage, EXIT.experiment, EXIT.model, EXIT.data, EXIT.inputs];

/**
 * A trial's state from its run folder and from the scheduler's state of its task. A scheduler knows which tasks wait,
 * run or were killed; only the folder shows the training, and a disk that nodes share may show it late.
 *
 * @param view by the run's folder
 * @param job undefined if the scheduler does not know the task, or not any more
 * @param settled true if a folder without an end will not get one any more: enough time has passed since
 */
export function trialState(
  view: TrialView,
  task: SubmittedTask,
  job: ClusterTrial | undefined,
  settled: boolean,
): TrialView {
  const as = (state: TrialView['state'], more: Partial<TrialView> = {}): TrialView => ({
    ...view,
    reason: undefined,
    error: undefined,
    state,
    ...more,
    // A scheduler may still see the end of a task that has finished, and does not know what the task has lost.
    ...(job && { cluster: { ...job, ...((state === 'lost' || state === 'finished') && { state }) } }),
  });
  if (view.state === 'finished') return as('finished');
  if (job?.state === 'queued' || job?.state === 'preempted') return as('queued');
  // By its heartbeat; a scheduler that has lost its own state may not know a task that runs.
  if (view.state === 'running' || view.state === 'starting') return as(view.state);
  if (job?.state === 'running') return as('starting');
  if (hasEnded(view, task, job, settled)) return as(view.state, { reason: view.reason, error: view.error });
  // This includes a trial that saved when somebody cancelled its job: it must not be started again then.
  if (job?.state === 'cancelled') return as('stopped', { reason: 'requested' });
  if (!settled) return as(view.step > 0 ? 'running' : 'queued');
  // It saved, and nothing has started it again.
  if (view.state === 'stopped' && view.reason === 'preempted') return as('stopped', { reason: 'preempted' });
  if (view.folder === undefined && job?.exitCode !== undefined && HOPELESS.includes(job.exitCode))
    return as('failed', {
      error: {
        message: job.detail ?? `It ended before its first step, with exit code ${job.exitCode}.`,
        hint: job.log === undefined ? undefined : `See its log, ${job.log}.`,
      },
    });
  return as('lost');
}

/** True if the folder shows how this very task ended, rather than an earlier one of the trial. */
function hasEnded(
  view: TrialView,
  { step }: SubmittedTask,
  job: ClusterTrial | undefined,
  settled: boolean,
): boolean {
  // A disk that shows late what a successful retry has written still shows the failure before.
  if (view.state === 'failed') return settled || job?.state !== 'finished';
  // A task that was preempted waits to be started again.
  if (view.state !== 'stopped' || view.reason === 'preempted') return false;
  if (view.step > step || view.reason === 'pruned') return true;
  // Ended by the user at the step at which it was submitted, or left so by a task that never began.
  return view.reason !== 'rung' && (!job || job.exitCode === EXIT.stopped);
}

/** Nobody continues it while this process decides about the sweep: its folder need not be read again. */
export const isFinal = ({ state, reason }: TrialView): boolean =>
  state === 'finished' || (state === 'stopped' && reason === 'pruned');
