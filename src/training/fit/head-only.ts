import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { AuroraError } from '../../base/errors';
import type { Experiment } from '../../experiment/experiment';
import { isHeadAlone } from '../../experiment/methods';
import { metricValue, score } from '../../experiment/metrics';
import { readIfThereSync } from '../../files/read';
import { bestBy, isAnyEvaluation } from '../../protocol/evaluations';
import { runPaths } from '../../runs/layout';
import { MOST_BYTES, readRunSummary, type RunSummary, SUMMARY_PARSERS } from '../../runs/run-summary';

/**
 * The folder of the best finished run that trained only a head on the same model, data and task, with the same seed:
 * validation data that are split off, masks and noise follow from it. Undefined if there is none beside the run.
 */
export function headOnlyRun({ folder, spec }: Pick<RunSummary, 'folder' | 'spec'>): string | undefined {
  const { metric } = spec.training;
  const key = conditions(spec);
  const found = readdirSync(dirname(folder)).flatMap((name) => {
    const other = join(dirname(folder), name);
    const theirs = name.startsWith('.') || other === folder ? undefined : specOf(other);
    if (!theirs || !isHeadAlone(theirs.adapter) || conditions(theirs) !== key) return [];
    const value = bestValue(other, metric);
    return value === undefined ? [] : [{ other, value }];
  });
  return found.sort((a, b) => b.value - a.value).at(0)?.other;
}

const conditions = ({ model, data, task, training: { seed } }: Experiment): string =>
  JSON.stringify([model, data, task, seed]);

/** Undefined if the folder is not a run, or it cannot be read. */
function specOf(folder: string): Experiment | undefined {
  try {
    const bytes = readIfThereSync(runPaths(folder).spec, MOST_BYTES.spec);
    return bytes && SUMMARY_PARSERS.spec(folder, bytes);
  } catch (e) {
    if (e instanceof AuroraError) return undefined;
    throw e;
  }
}

/** The best score of a finished run, undefined for another; higher is better. */
function bestValue(folder: string, metric: Experiment['training']['metric']): number | undefined {
  try {
    const { events } = readRunSummary(folder);
    if (!events.some((e) => e.kind === 'finished')) return undefined;
    const best = bestBy(metric, events.filter(isAnyEvaluation));
    return best && score(metric, metricValue(best.metrics, metric));
  } catch (e) {
    if (e instanceof AuroraError) return undefined;
    throw e;
  }
}
