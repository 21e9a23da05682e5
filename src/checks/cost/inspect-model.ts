import type { Inspection } from '../../adapters/inspection';
import { loadModelFrom } from '../../architectures/load';
import { modelSource } from '../../architectures/model-source';
import { storedModel } from '../../architectures/stored';
import { AuroraError } from '../../base/errors';
import { prepareModel } from '../../graph/prepare';
import { summarizePrepared } from '../../graph/summary';
import type { MachineRates } from '../../protocol/step-cost';
import { stepCost, type CostChoice } from './step-cost';

export type InspectionChoice = Omit<CostChoice, 'batch' | 'length'> & {
  /** 8 by default, 1 for pictures. */
  batches?: readonly number[];
  /** In tokens; 128 by default, unless the model has fewer positions. */
  lengths?: readonly number[];
};

/**
 * The layers of a model and the cost of a training step, from its structure alone: no weight is read.
 *
 * @param path an ONNX file or a folder from the hub
 * @param ratesOf called when the model is known to be usable: measuring them takes a while
 * @throws AuroraError where the model cannot be used, and 'usage' for a length that it has no positions for
 */
export async function inspectModel(
  path: string,
  { batches: wanted, lengths: given, ...choice }: InspectionChoice,
  ratesOf: () => Promise<MachineRates | undefined>,
): Promise<Inspection> {
  const source = modelSource(path);
  const model = loadModelFrom(source, 'structure');
  const prepared = prepareModel(model);
  const summary = { ...storedModel(source, model), ...summarizePrepared(model, prepared) };
  // One picture in training is usual, and often all that fits into memory.
  const batches = wanted ?? [model.graph.outputs.some((o) => o.name === 'out_sample') ? 1 : 8];
  const lengths = lengthsFor(path, given, summary.positions);
  const sizes = batches.flatMap((batch) => lengths.map((length) => ({ batch, length })));
  const rates = await ratesOf();
  const steps = sizes.map((size) => stepCost(prepared, { ...choice, ...size }, rates));
  return { ...summary, step: steps[0], ...(steps.length > 1 && { steps }) };
}

/** The usual one by default, unless the model has fewer positions. */
function lengthsFor(
  path: string,
  given: readonly number[] | undefined,
  positions = Infinity,
): readonly number[] {
  const lengths = given ?? [Math.min(128, positions)];
  const length = Math.max(...lengths);
  if (length <= positions) return lengths;
  throw new AuroraError(
    'usage',
    `${path} has positions for ${positions} tokens, but the length is ${length}.`,
    `Choose a length of ${positions} or less.`,
  );
}
