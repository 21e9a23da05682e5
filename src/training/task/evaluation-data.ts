import { dataOfSet, evaluationSets, type EvaluationSet } from '../../experiment/evaluation-sets';
import type { ReadWatch } from '../../data/stream/build-index';
import type { Experiment } from '../../experiment/experiment';
import type { Model } from '../../graph/model';
import type { Outputs } from '../../protocol/outputs';
import { taskKind } from '../../tasks/task-registry';
import type { TaskData } from '../../tasks/task-data';

/** A set with its examples. */
export interface EvaluationData {
  set: EvaluationSet;
  /** Its examples are the `validation` split. */
  data: TaskData;
}

/** The experiment as if a set were its validation file. */
export const experimentOfSet = (spec: Experiment, set: EvaluationSet): Experiment => ({
  ...spec,
  data: dataOfSet(spec.data, set),
});

/**
 * The sets that a run is scored on at its end, read like a validation file. They are read before the first step, so that
 * a mistake in them is found then; nothing uses them before the last one.
 *
 * @param outputs those of the training data; rows with other labels are bad rows
 * @throws AuroraError 'data' or 'labels' for a file that cannot be used, naming the row
 */
export async function loadEvaluationSets(
  spec: Experiment,
  model: Model,
  outputs: Outputs,
  watch?: ReadWatch,
): Promise<EvaluationData[]> {
  const kind = taskKind(spec.task);
  const loaded: EvaluationData[] = [];
  for (const set of evaluationSets(spec.data))
    loaded.push({ set, data: await kind.loadValidation(experimentOfSet(spec, set), model, outputs, watch) });
  return loaded;
}

/** The set's own warnings: assumptions about the files beside the model are among the training data's warnings too. */
export const setWarnings = ({ data }: EvaluationData): string[] =>
  data.warnings.filter((warning) => !data.assumed.some(({ message }) => message === warning));
