import { dirname } from 'node:path';
import { homedir } from 'node:os';
import { t } from '../../base/l10n';
import { endHint, endReason, type UnexpectedEnd } from '../../protocol/run-files/unexpected-end';
import type { RunEntry } from '../runs/store';
import { editorHint, shortPaths } from './error-text';
import { executorName } from '../../experiment/cluster';

export interface RunError {
  message: string;
  hint?: string;
}

/**
 * The reason why a run did not finish, and the next step; undefined if nothing went wrong. Paths are from the folder of
 * the data or the experiment.
 */
export function errorOf(entry: RunEntry): RunError | undefined {
  const { state, run, error } = entry;
  if (error) return shortened(entry, error);
  if (state === 'lost' && entry.cluster)
    return {
      message: t('{0} lost it, and it has not finished.', executorName(entry.cluster.executor)),
      hint: t('Run the sweep to submit it again: it continues from its last checkpoint.'),
    };
  if (state === 'lost') return shortened(entry, lossError(entry.end ?? {}));
  const failed = state === 'failed' && run?.events.findLast((e) => e.kind === 'failed');
  return failed ? shortened(entry, failed) : undefined;
}

/** The reason why the trainer of a run ended without reporting it. */
export const lossError = (end: UnexpectedEnd): RunError => ({
  message: t('Its trainer ended unexpectedly: {0}.', endReason(end)),
  hint: endHint(end),
});

/** A message about a run, and its hint, in the words of the editor. */
export function shortened(
  { folder, experiment, run }: Pick<RunEntry, 'folder' | 'experiment' | 'run'>,
  { message, hint }: RunError,
): RunError {
  const named = run ? [run.spec.model?.path, run.spec.data?.train, run.spec.data?.validation] : [];
  const data = run ? [run.spec.data?.train, run.spec.data?.validation, experiment] : [];
  const bases = data.flatMap((path) => (path ? [dirname(path)] : []));
  const folders = [
    ...[folder, dirname(folder), experiment, ...named].flatMap((path) => (path ? [dirname(path)] : [])),
    homedir(),
  ];
  return {
    message: shortPaths(message, folders, bases),
    ...(hint && { hint: shortPaths(editorHint(hint), folders, bases) }),
  };
}
