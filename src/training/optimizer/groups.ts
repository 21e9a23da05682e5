import type { TrainableInfo } from '../../tasks/task-graph';
import type { TrainingSpec } from '../../experiment/experiment';
import type { ParameterGroup } from './optimizer';

/**
 * Adapters and head, each with its own rate and decay; biases separate if they are exempt from decay, and B separate if
 * it has its own rate (LoRA+, Hayou et al., arXiv 2402.12354).
 */
export function parameterGroups(trainable: readonly TrainableInfo[], t: TrainingSpec): ParameterGroup[] {
  const ratio = t.loraPlusRatio ?? 1;
  const exempt = (info: TrainableInfo) => !t.decayBiases && info.dims.length === 1;
  const faster = (info: TrainableInfo) => ratio !== 1 && info.part === 'adapter' && info.name.endsWith('.B');
  const group = (infos: readonly TrainableInfo[], lr: number, weightDecay: number): ParameterGroup[] => {
    const names = (wanted: readonly TrainableInfo[]) => wanted.map((i) => i.name);
    return [
      { names: names(infos.filter((i) => !exempt(i))), lr, weightDecay },
      { names: names(infos.filter(exempt)), lr, weightDecay: 0 },
    ].filter((g) => g.names.length > 0);
  };
  const adapters = trainable.filter((i) => i.part === 'adapter');
  const head = trainable.filter((i) => i.part === 'head');
  return [
    ...group(
      adapters.filter((i) => !faster(i)),
      t.learningRate,
      t.weightDecay,
    ),
    ...group(adapters.filter(faster), ratio * t.learningRate, t.weightDecay),
    ...group(head, t.headLearningRate, t.headWeightDecay),
  ];
}
