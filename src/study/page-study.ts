import type { Metrics } from '../experiment/metrics';
import { shownMetrics } from '../experiment/shown-metrics';
import type { PreflightProblem } from '../protocol/preflight';
import { missingOf } from './missing-results';
import { shownOf } from './shown';
import type { Study } from './study';
import type { StudyRun } from './study-run';
import { leftOutWords } from './study-words';

/** A study as its page gets it: however many runs it has, only the shown parts. */
export interface PageStudy extends Omit<Study, 'leftOut'> {
  /** The runs that do not count: their number, and why in a few sentences. */
  leftOut: { runs: number; words: string[] };
}

const metricsOf = ({ sections }: Study): Metrics[] =>
  sections.flatMap(({ groups }) => groups.flatMap(({ runs }) => runs.map(({ metrics }) => metrics)));

/** `missing` lists the data that the shown groups lack. */
export function pageStudy(study: Study): PageStudy {
  const shown = shownOf(study);
  return {
    ...plainStudy(shown),
    metrics: shownMetrics(study.metric, ...metricsOf(study)),
    missing: missingOf(shown.sections),
    leftOut: { runs: study.leftOut.length, words: leftOutWords(study) },
  };
}

/** The output of `aurora study --json`, one JSON object per line. Readers ignore unknown kinds. */
export type StudyLine =
  /** Run `run` of `runs` is being processed; `what` is the current action. */
  | {
      kind: 'measuring';
      what: 'geometry' | 'examples' | 'merged' | 'nonlinearity';
      name: string;
      run: number;
      runs: number;
    }
  | { kind: 'result'; study: Study; out?: string }
  | PreflightProblem;

/** Without the results of each validation example, which are large and no longer needed. */
export const plainStudy = (study: Study): Study => ({
  ...study,
  sections: study.sections.map((s) => ({
    ...s,
    groups: s.groups.map((g) => ({ ...g, runs: g.runs.map(plainRun) })),
  })),
});

const plainRun = (run: StudyRun): StudyRun => ({
  ...run,
  examples: undefined,
  ...(run.test && { test: { ...run.test, examples: undefined } }),
});
