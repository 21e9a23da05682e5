import type { ResumeOptions } from '../launcher/client';
import { askingAboutInputs } from './changed-inputs';
import { orTakeOver } from './take-over';

export interface Asks {
  /** The user's earlier decisions. */
  decided?: ResumeOptions;
  /** False if nobody is there to be asked; then, a question is an error. */
  attended?: boolean;
}

/**
 * Continues a run or a sweep. Asks if its files have changed, or if another machine may be training it.
 *
 * @param consequence of changed files, where it is not a run's
 * @returns false if the user declined
 */
export async function askingBefore(
  start: (options: ResumeOptions) => Thenable<unknown>,
  { decided = {}, attended = true }: Asks,
  consequence?: string,
): Promise<boolean> {
  if (!attended) {
    await start(decided);
    return true;
  }
  const started = await askingAboutInputs(
    (accept) =>
      orTakeOver((takeOver) =>
        start({
          takeOver: takeOver || decided.takeOver,
          acceptChangedInputs: accept || decided.acceptChangedInputs,
        }),
      ),
    consequence,
  );
  return started === true;
}
