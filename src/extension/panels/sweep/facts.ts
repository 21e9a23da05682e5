import { basename } from 'node:path';
import { experimentName } from '../../../runs/layout';
import type { SweepFacts } from '../../../protocol/panels/sweep';
import type { RunEntry, SweepEntry } from '../../runs/store';
import { isIncomplete } from '../../words/sweep-row';

/** @param runs of its trials */
export function factsOf(sweep: SweepEntry, runs: readonly RunEntry[], trusted: boolean): SweepFacts {
  const { record, state, folder, experiment } = sweep;
  const { spec, room, varied, metric, ended } = record;
  const logarithmic = Object.entries(spec.parameters ?? {}).flatMap(([key, values]) =>
    !Array.isArray(values) && values.scale === 'log' ? [key] : [],
  );
  return {
    experiment: experimentName(experiment),
    id: basename(folder).slice(0, 4),
    state,
    ...(ended && { ended: ended.message }),
    type: spec.type,
    metric,
    varied,
    logarithmic,
    ...(room && { parallel: room.parallel }),
    ...(spec.pruning && { pruning: spec.pruning }),
    ...(spec.learningRateSearch && { search: spec.learningRateSearch }),
    canResume: trusted && state !== 'running' && isIncomplete(sweep, runs),
  };
}
