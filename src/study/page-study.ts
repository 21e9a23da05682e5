import type { Metrics } from '../experiment/metrics';
import { shownMetrics } from '../experiment/shown-metrics';
import { plainStudy } from './lines';
import { missingOf } from './missing';
import { shownOf } from './shown';
import type { Study } from './study';
import { leftOutWords } from './words';

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
