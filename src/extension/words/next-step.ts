import type { ErrorKind } from '../../base/errors';
import { t } from '../../base/l10n';
import { COMMAND } from '../ids';
import { canRunAgain, isResumable } from '../runs/shown-state';
import type { RunEntry } from '../runs/store';

export interface NextStep {
  title: string;
  command: string;
  argument?: string;
}

/** Mistakes that are mended in the experiment, or in a file that it names. */
const IN_EXPERIMENT: readonly ErrorKind[] = [
  'experiment',
  'model',
  'notOnnx',
  'truncated',
  'externalMissing',
  'externalOutside',
  'operator',
  'targets',
  'rank',
  'data',
  'labels',
  'emptyData',
  'tokenizer',
  'vocabulary',
  'memory',
];

/** The possible steps in the editor after a failed run, the most promising first; nothing if nothing went wrong. */
export function nextSteps(entry: RunEntry): NextStep[] {
  const { folder, experiment, run, state } = entry;
  if (state !== 'failed' && state !== 'lost') return [];
  const kind =
    entry.error?.kind ??
    run?.events.findLast((e): e is Extract<typeof e, { kind: 'failed' }> => e.kind === 'failed')?.error;
  const again = canRunAgain(entry)
    ? [{ title: t('Run Again'), command: COMMAND.runExperiment, argument: experiment }]
    : [];
  // Once the mistake is corrected, perhaps outside the editor.
  if (state === 'failed' && IN_EXPERIMENT.includes(kind as ErrorKind))
    return [{ title: t('Open Experiment'), command: COMMAND.openExperiment, argument: experiment }, ...again];
  if (state === 'failed' && kind === 'device')
    return [{ title: t('Check This Machine'), command: COMMAND.checkMachine }];
  if (state === 'failed' && kind === 'diverged')
    return [{ title: t('Fork'), command: COMMAND.forkRun, argument: folder }];
  if (isResumable(entry)) return [{ title: t('Resume'), command: COMMAND.resumeRun, argument: folder }];
  return again;
}
