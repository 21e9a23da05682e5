import type { SweepRecord, TrialRecord } from '../../../runs/sweep/record';
import { askQueue } from '../../../sweeps/claim-trial';
import { SweepWork } from '../../../sweeps/sweep-work';
import type { SweepRequest } from '../../../sweeps/where';
import type { ParsedArgs } from '../../command';
import { owning } from '../../owning';
import { onInterrupt } from '../../signals';
import { ownedBy, Shown, viewOf } from './trial-options';

/**
 * Cancels trials of a sweep that has begun: the process that follows it does, or this one, which waits until they have ended.
 *
 * @returns false if interrupted
 */
export async function cancelTrials(
  args: ParsedArgs,
  request: SweepRequest,
  record: SweepRecord,
  which: readonly TrialRecord[] | 'all',
): Promise<boolean> {
  const { folder } = request;
  if (await askQueue(folder, which)) {
    process.stderr.write('The process that runs the sweep cancels them.\n');
    return true;
  }
  const shown = new Shown(args);
  const work = SweepWork.begun(request, shown, record);
  shown.view = viewOf(args, work.names);
  return owning(ownedBy(args, folder, work.where.on), (takenOver) => {
    const interrupted = onInterrupt('They will be canceled even if this command ends.');
    return work.cancel(which, takenOver, interrupted, (busy) =>
      process.stderr.write(`${cancelText(busy)}\n`),
    );
  });
}

const cancelText = (busy: number): string =>
  busy === 0
    ? 'None of these trials is queued or running.'
    : `Canceling ${busy === 1 ? '1 trial' : `${busy} trials`}: those that run save first. Ctrl-C leaves them to it.`;
