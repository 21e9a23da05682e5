import { t } from '../base/l10n';
import type { AuroraError } from '../base/errors';
import { endHint, endReason, type UnexpectedEnd } from '../protocol/run-files/unexpected-end';
import type { ShownState } from '../runs/outcome';
import type { RunSummary } from '../runs/run-summary';

export interface RunProblem {
  message: string;
  hint?: string;
}

/** The reason why a run on this machine did not finish, and the next step; undefined if nothing went wrong. */
export function runProblem({
  state,
  run,
  error,
  end = {},
}: {
  state: ShownState;
  run?: Pick<RunSummary, 'events'>;
  /** The error of a run that cannot be read. */
  error?: AuroraError;
  /** The known facts about the reason, for `lost`. */
  end?: UnexpectedEnd;
}): RunProblem | undefined {
  if (error) return error;
  if (state === 'lost') return lossProblem(end);
  return state === 'failed' ? run?.events.findLast((e) => e.kind === 'failed') : undefined;
}

/** The reason why the trainer of a run ended without reporting it. */
export const lossProblem = (end: UnexpectedEnd): RunProblem => ({
  message: t('Its trainer ended unexpectedly: {0}.', endReason(end)),
  hint: endHint(end),
});
