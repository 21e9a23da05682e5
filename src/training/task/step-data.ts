import { documentsInput } from '../../data/batch';
import type { Dataset } from '../../data/dataset';
import type { Experiment } from '../../experiment/experiment';
import type { Model, ValueInfo } from '../../graph/model';
import type { TaskKind } from '../../tasks/kind';
import type { TrainingLoss } from '../../tasks/objective';
import { modelInputs, type TaskData } from '../../tasks/task-data';
import { trainingLoss } from '../../tasks/training-loss';

/** The examples of an experiment's steps, and how they count. */
export interface StepData {
  /** The rows into which the training data are packed, with training.packing. */
  packed: Dataset | undefined;
  /** These, or else the training data as they are. */
  trainingSet: Dataset;
  /** The inputs of the model that a batch fills. */
  inputs: ValueInfo[];
  /** Undefined for the plain loss. */
  loss: TrainingLoss | undefined;
}

/** @throws AuroraError 'labels' as `trainingLoss` */
export function stepData(spec: Experiment, kind: TaskKind, model: Model, data: TaskData): StepData {
  const { dataset } = data.train;
  const packed = spec.training.packing ? kind.pack!(dataset, spec) : undefined;
  return {
    packed,
    trainingSet: packed ?? dataset,
    inputs: [...modelInputs(model), ...(packed ? [documentsInput] : [])],
    loss: trainingLoss(spec, kind, data),
  };
}
