import { join } from 'node:path';
import { AuroraError } from '../../base/errors';
import { sizeOf } from '../../data/dataset';
import type { Place } from '../../engine/place';
import type { Experiment } from '../../experiment/experiment';
import type { VerifyLine, VerifyResult } from '../../protocol/verification';
import { taskKind } from '../../tasks/task-registry';
import { firstStep } from '../../training/device/device-trial';
import { withEncodings } from '../../training/diffusion/encode-data';
import { DropoutMasks } from '../../training/optimizer/dropout';
import { frozenNames, perturbed } from '../../training/task/initialize';
import { initialParameters, prepareTask } from '../../training/task/task';
import { verifySides } from './sides';

export interface VerifyExperimentOptions {
  places: readonly [Place, Place];
  /** For temporary graphs, near the model where possible; the caller removes it. */
  folder: string;
  /** CPU threads; 0 for one per core. */
  threads: number;
  /** Called with each line as soon as it is known, and awaited: the next step blocks this thread. */
  emit: (line: VerifyLine) => void | Promise<void>;
}

/**
 * Runs an experiment's own first batch, dropout masks included, through both engines: with a run's initial values, and
 * with perturbed ones. Always in float32, the only precision that both have.
 */
export async function verifyExperiment(
  spec: Experiment,
  { places, folder, threads, emit }: VerifyExperimentOptions,
): Promise<VerifyResult> {
  const encodings = { keep: join(folder, 'encoded'), folder: join(folder, 'encoder'), threads };
  const load = withEncodings(taskKind(spec.task).load, encodings);
  const task = await prepareTask(spec, join(folder, 'probe'), { load });
  const initial = initialParameters(task);
  if (initial.size === 0)
    throw new AuroraError(
      'experiment',
      'There is nothing to verify: the experiment trains neither an adapter nor a head.',
      'Choose an adapter method, or task.head "linear".',
    );
  const { trainingSet: dataset } = task;
  const { seed, microBatchSize } = spec.training;
  const examples = firstStep(task)[0].slice(0, microBatchSize);
  const lengths = examples.map((i) => sizeOf(dataset, i));
  const keys = task.maskKeys(dataset, examples);
  const masks = new DropoutMasks(task, seed).masks(0, keys, Math.max(...lengths));
  await emit({
    kind: 'setup',
    places: [{ ...places[0] }, { ...places[1] }],
    examples: examples.length,
    tokens: lengths.reduce((a, b) => a + b, 0),
    tensors: initial.size,
    dropout: Object.keys(masks).length > 0,
  });
  const subject = {
    infos: task.infos,
    spec: task.graph,
    inputs: { ...(await task.feeds(dataset, examples, undefined, { seed, epoch: 0 })), ...masks },
    rounds: [
      { values: 'initial' as const, parameters: initial },
      { values: 'perturbed' as const, parameters: perturbed(initial, seed, frozenNames(task.adapters)) },
    ],
  };
  const [a, b] = places.map((place) => ({ place, model: task.model }));
  const result = await verifySides([a, b], subject, { folder, threads, emit });
  await emit(result);
  return result;
}
