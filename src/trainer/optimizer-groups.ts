import type { TrainableInfo } from '../engine/program';
import type { TrainingSpec } from '../shared/experiment';
import type { ParameterGroup } from './optimizer';

/** Adapters and head, each with its own rate and decay; biases apart where they are exempt from decay. */
export function parameterGroups(trainable: readonly TrainableInfo[], t: TrainingSpec): ParameterGroup[] {
  const exempt = (info: TrainableInfo) => !t.decayBiases && info.dims.length === 1;
  const group = (part: TrainableInfo['part'], lr: number, weightDecay: number): ParameterGroup[] => {
    const own = trainable.filter((i) => i.part === part);
    const names = (infos: TrainableInfo[]) => infos.map((i) => i.name);
    return [
      { names: names(own.filter((i) => !exempt(i))), lr, weightDecay },
      { names: names(own.filter(exempt)), lr, weightDecay: 0 },
    ].filter((g) => g.names.length > 0);
  };
  return [
    ...group('adapter', t.learningRate, t.weightDecay),
    ...group('head', t.headLearningRate, t.headWeightDecay),
  ];
}
