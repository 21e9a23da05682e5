import { count } from '../base/number-text';
import { t } from '../base/l10n';
import type { StudyRun } from './study-run';

/** Notes on runs of a data set that were trained on different files, or not on the current ones. */
export function inputNotes(runs: readonly StudyRun[]): string[] {
  const paths = [...new Set(runs.flatMap((r) => Object.keys(r.trainedOn ?? {})))];
  const differing = paths.flatMap((path) => {
    const sums = runs.flatMap((r) =>
      r.trainedOn && Object.hasOwn(r.trainedOn, path) ? [r.trainedOn[path]] : [],
    );
    const most = commonest(sums);
    const others = runs.filter(
      (r) => r.trainedOn && Object.hasOwn(r.trainedOn, path) && r.trainedOn[path] !== most,
    );
    return others.length === 0
      ? []
      : [
          t(
            'Not all runs were trained on the same version of {0}: it was a different one for {1}. Differences between the runs may be due to that.',
            path,
            names(others),
          ),
        ];
  });
  const accepted = runs.filter((r) => r.changedWithin);
  const changed = runs.filter((r) => r.changedSince?.length);
  const now = [...new Set(changed.flatMap((r) => r.changedSince!))];
  return [
    ...differing,
    ...(accepted.length > 0
      ? [
          t(
            'Files changed during these runs, and training was continued with the changed files: {0}.',
            names(accepted),
          ),
        ]
      : []),
    ...(changed.length > 0
      ? [
          t(
            'These files have changed since runs were trained on them: {0}. The numbers refer to the original files; new measurements of {1} would not.',
            now.join(', '),
            names(changed),
          ),
        ]
      : []),
  ];
}

function commonest<T>(values: readonly T[]): T | undefined {
  const counts = new Map<T, number>();
  for (const v of values) counts.set(v, (counts.get(v) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0];
}

/** The maximum number of runs that are named: of thousands, the first few suffice. */
const MOST_NAMED = 20;

function names(runs: readonly StudyRun[]): string {
  const all = runs.slice(0, MOST_NAMED).map((r) => r.name);
  const more = runs.length - all.length;
  return more > 0 ? t('{0} and {1} more', all.join(', '), count(more)) : all.join(', ');
}
