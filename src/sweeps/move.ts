import { AuroraError } from '../base/errors';
import { ClusterExecutor } from '../executors/cluster/cluster-executor';
import type { Executor } from '../executors/executor';
import { executorName, type ExecutorName } from '../experiment/cluster';
import { isBusy } from '../runs/sweep/look';
import type { TrialRecord } from '../runs/sweep/record';
import type { TrialNames } from '../runs/sweep/trial-names';
import { isOver } from './halving';
import { trialsText } from './causes';

/**
 * Lets a sweep continue elsewhere than where it began: everything is brought here first, whole.
 *
 * @param executor the executor with which it began
 * @throws AuroraError 'usage' while a trial waits or runs there, if that is not known, or if trials have begun here that a
 *   cluster would begin again
 */
export async function moveSweep(
  executor: Executor,
  trials: readonly TrialRecord[],
  from: ExecutorName,
  to: ExecutorName,
  names: TrialNames,
): Promise<void> {
  const look = () => knownAt(from, () => executor.follow(trials));
  const busy = (await look()).filter(isBusy).length;
  if (busy > 0)
    throw new AuroraError(
      'usage',
      `This sweep began on ${executorName(from)}, where ${busy === 1 ? '1 trial waits or runs' : `${busy} trials wait or run`}.`,
      `Continue it with --on ${from}, or ${from === 'local' ? 'stop them' : 'cancel them with --cancel all'} first.`,
    );
  if (executor instanceof ClusterExecutor && !(await knownAt(from, () => executor.bringAll(trials))))
    throw new AuroraError(
      'usage',
      `This sweep began on ${executorName(from)}, and what was trained there could not be brought here.`,
      'Run the command again once the cluster is responding.',
    );
  const begun = (await look()).filter((t) => t.folder !== undefined);
  const open = begun.filter((t) => !isOver(t) && t.reason !== 'pruned').map((t) => t.record);
  if (to !== 'local' && open.length > 0)
    throw new AuroraError(
      'usage',
      `This sweep began on ${executorName(from)}: ${trialsText(open, names)} ${open.length === 1 ? 'has' : 'have'} begun and not ended.`,
      `Continue it with --on ${from}. To train it elsewhere from the beginning, copy the experiment file under another name.`,
    );
  if (executor instanceof ClusterExecutor) executor.leave();
}

async function knownAt<T>(from: ExecutorName, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (e) {
    // It cannot be reached, the settings mean another one, or its commands are not on this machine.
    if (!(e instanceof AuroraError) || e.kind === 'disk' || e.kind === 'owned') throw e;
    throw new AuroraError(
      'usage',
      `This sweep began on ${executorName(from)}, where its trials may still wait or run: ${e.message}`,
      `Continue it with --on ${from}. To train it elsewhere from the beginning, copy the experiment file under another name.`,
      { cause: e },
    );
  }
}
