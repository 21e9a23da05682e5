import { differingKeys, flatSettings } from '../experiment/differing-settings';
import { isMetric, METRICS, metricValue, senseOf, type MetricName } from '../experiment/metrics';
import { AuroraError } from '../base/errors';
import { inEnglish } from '../base/l10n';
import { studyRun } from '../runs/run-in-study';
import type { StudyRun, UnfitRun } from '../study/study-run';
import type { Study } from '../study/study';
import { comparisonWords, examplesText, leftOutWords, sectionNotes } from '../study/study-words';
import { bestEvaluation, metricOf } from '../runs/run-facts';
import type { ToolRun } from './tool';
import { briefly } from './tool-facts';

/** Runs in an answer. */
export const MOST_RUNS = 40;
const SENTENCES = 20;
/** Bytes of an input file that a tool reads to see whether it has changed. */
const LARGEST_HASHED = 64 * 2 ** 20;

/** Settings that do not explain a difference. */
const NAMES = ['name'];

/**
 * Runs beside each other, the best first: their numbers, and the settings in which they differ.
 *
 * @param metric by default that of the first run
 */
export function table(entries: readonly ToolRun[], metric?: string): Record<string, unknown> {
  const by = metric === undefined ? usualMetric(entries) : known(metric);
  const value = ({ run }: ToolRun) => {
    const best = run && bestEvaluation(run);
    return best ? metricValue(best.metrics, by) : NaN;
  };
  const worst = (v: number) => (Number.isNaN(v) ? -Infinity : senseOf(by) * v);
  const sorted = [...entries].sort((a, b) => worst(value(b)) - worst(value(a)));
  const shown = sorted.slice(0, MOST_RUNS);
  const settings = shown.map(({ run }) => run && flatSettings(run.spec));
  const keys = differingKeys(settings.flatMap((s) => s ?? [])).filter((key) => !NAMES.includes(key));
  return {
    metric: by,
    better: senseOf(by) === 1 ? 'higher' : 'lower',
    runs: shown.map((entry, i) => ({
      ...briefly(entry),
      trainableParameters: entry.run?.events.find((e) => e.kind === 'started')?.trainable,
      seconds: entry.run?.events.findLast((e) => e.kind === 'finished')?.seconds,
      differingSettings: Object.fromEntries(
        keys.flatMap((key) => {
          const json = settings[i]?.get(key);
          return json === undefined ? [] : [[key, JSON.parse(json) as unknown]];
        }),
      ),
    })),
    ...(sorted.length > shown.length && { leftOut: sorted.length - shown.length }),
  };
}

function usualMetric(entries: readonly ToolRun[]): MetricName {
  const first = entries.find((e) => e.run)?.run;
  return first ? metricOf(first) : 'loss';
}

function known(metric: string): MetricName {
  if (isMetric(metric)) return metric;
  throw new AuroraError('usage', `"${metric}" is not a metric.`, `Choose from ${METRICS.join(', ')}.`);
}

/** The conclusions from finished runs, in the words of `aurora study`; undefined if none has finished. */
export async function conclusions(
  entries: readonly ToolRun[],
  metric?: string,
): Promise<Record<string, unknown> | undefined> {
  const runs: (StudyRun | UnfitRun)[] = [];
  for (const { folder, run, label: name } of entries)
    runs.push(
      run ? await studyRun(run, name, { largest: LARGEST_HASHED }) : { folder, name, unfit: 'damaged' },
    );
  const { studyOf } = await import('../study/study');
  return inEnglish(() => {
    const study = studyOf(runs, metric === undefined ? {} : { metric: known(metric) });
    if (study.sections.length === 0) return undefined;
    return {
      tests: study.sections.map((section) => sectionWords(section, study)),
      excluded: leftOutWords(study).slice(0, SENTENCES),
    };
  });
}

const sectionWords = (section: Study['sections'][number], study: Study): object => ({
  on: `${section.name}, ${examplesText(section)}`,
  reference: section.reference,
  differences: section.comparisons.slice(0, SENTENCES).map((c) => comparisonWords(c, study)),
  howToReadIt: sectionNotes(section, study),
});
