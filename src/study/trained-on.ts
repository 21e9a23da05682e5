import type { StudyRun } from './run';
import type { Say } from './say';

/** Whether the runs of a data set were trained on the same files, and on the current ones. */
export function inputNotes(runs: readonly StudyRun[], say: Say): string[] {
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
          say(
            'Not all runs were trained on the same file {0}: it was another one for {1}. Differences between the runs may be due to that.',
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
          say(
            'Files were changed while these runs were under way, which somebody accepted: {0}.',
            names(accepted),
          ),
        ]
      : []),
    ...(changed.length > 0
      ? [
          say(
            'These files have changed since runs were trained on them: {0}. The numbers are of the files as they were; what is measured of {1} from now on would not be.',
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

const names = (runs: readonly StudyRun[]): string => runs.map((r) => r.name).join(', ');
