import { dirname } from 'node:path';
import { homedir } from 'node:os';
import { t } from '../../base/l10n';
import { type RunProblem, runProblem } from '../../tools/run-problem';
import type { RunEntry } from '../runs/store';
import { editorHint, shortPaths } from './error-text';
import { executorName } from '../../experiment/cluster';

/**
 * The reason why a run did not finish, and the next step; undefined if nothing went wrong. Paths are from the folder of
 * the data or the experiment.
 */
export function errorOf(entry: RunEntry): RunProblem | undefined {
  if (entry.state === 'lost' && entry.cluster && !entry.error)
    return {
      message: t('{0} lost it, and it has not finished.', executorName(entry.cluster.executor)),
      hint: t('Run the sweep to submit it again: it continues from its last checkpoint.'),
    };
  const problem = runProblem(entry);
  return problem && shortened(entry, problem);
}

/** A message about a run, and its hint, in the words of the editor. */
export function shortened(
  { folder, experiment, run }: Pick<RunEntry, 'folder' | 'experiment' | 'run'>,
  { message, hint }: RunProblem,
): RunProblem {
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
