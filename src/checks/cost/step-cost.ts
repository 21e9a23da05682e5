import { frozenCount, parameterCount } from '../../adapters/stored-tensors';
import { freemem } from 'node:os';
import type { Inspection } from '../../adapters/inspection';
import { type LayerAdapter, likelyTargets, selectAdapters } from '../../adapters/targets/select';
import { USUAL_SIZES } from '../../architectures/blocks/network';
import { loadModelFrom } from '../../architectures/load';
import { modelSource } from '../../architectures/model-source';
import { storedModel } from '../../architectures/stored';
import { AuroraError } from '../../base/errors';
import { adapterDefaults } from '../../experiment/adapter-defaults';
import { type AdapterSpec, isHeadAlone, isRanked } from '../../experiment/methods';
import { sizeOf } from '../../graph/file/save';
import { columnWeights } from '../../graph/int8/frozen-products';
import { findLinearLayers } from '../../graph/layers/linear';
import { elementCount, type Model } from '../../graph/model';
import { prepareModel, upgraded } from '../../graph/prepare';
import { UnknownSize } from '../../graph/sizes/size-rule';
import { summarizePrepared } from '../../graph/summary';
import type { MachineRates, StepCost } from '../../protocol/step-cost';
import { copyForm, formOf } from '../../quantize/cached';
import { quantizedOutline } from '../../quantize/quantized-graph';
import { holdsBothCopies } from '../../quantize/transposed';
import { availableMemory } from '../../training/micro-batch/available';
import { defaultParts, hiddenWidth, isPlain, type Pass } from '../../training/micro-batch/default-parts';
import {
  answerOf,
  type BatchSize,
  evaluationGraph,
  fixedBatch,
  fixedModel,
  type FixedModel,
  inputSizes,
  type Int8Copies,
  readsTexts,
  stepGraph,
} from './step-graph';
import { bytesOf, stepMemory, stepTime, sum } from './step-work';

interface CostChoice extends BatchSize {
  method: AdapterSpec['method'];
  /** The method's own if omitted. */
  rank?: number;
  /** The query and value layers if omitted. */
  targetModules?: string | string[];
  /** True if a new head is trained; by default where the model has no logits. */
  head?: boolean;
  /** The output that is trained on, if its name does not show it. */
  output?: string;
  /** As model.quantize. */
  quantize?: 4 | 8;
  /** As training.precision. */
  precision?: 'int8';
}

/**
 * The cost of a training step with an adapter, a new experiment's by default, and the answer that the model's output is
 * for, from the model's structure alone: no weight is read and no runtime is loaded.
 *
 * @param model at the internal opset
 * @param rates undefined if they could not be measured
 * @param original bytes of the weights that `model` has in int8, as the user's files have them
 */
export function stepCost(
  model: Model,
  choice: CostChoice,
  rates: MachineRates | undefined,
  original?: number,
): StepCost {
  const layers = findLinearLayers(model.graph);
  const spec = adapterOn(likelyTargets(layers), choice);
  const { method, batch, length } = choice;
  const about = {
    method,
    ...(isRanked(spec) && { rank: spec.rank }),
    batch,
    ...(readsTexts(model.graph) && { length }),
    ...(choice.quantize && { quantize: choice.quantize }),
    ...(choice.precision && { precision: choice.precision }),
  };
  const problem = fixedBatch(model.graph);
  if (problem !== undefined) return { ...about, problem };
  try {
    const usual = JSON.parse(model.metadata.get(USUAL_SIZES) ?? '{}') as Record<string, number>;
    const fixedAt = (examples: number) => {
      const inputs = inputSizes(model.graph, { length, batch: examples, usual });
      return { inputs, fixed: fixedModel(model, inputs) };
    };
    const whole = fixedAt(batch);
    const answer = answerOf(whole.fixed, choice);
    const { adapters } = selectAdapters(model.graph, layers, spec, answer.output);
    const partOf = (pass: Pass) => {
      const parts = partsOf(pass, whole.fixed, adapters);
      return parts === 1 ? whole : fixedAt(Math.ceil(batch / parts));
    };
    const int8 = choice.precision && int8Copies(model, choice.quantize);
    const task = { ...answer, adapters, ...(int8 && { int8 }) };
    const step = ({ fixed, inputs }: typeof whole) => stepGraph(fixed, task, inputs);
    const wholeStep = step(whole);
    const part = partOf('step');
    const evaluated = partOf('evaluation');
    const evaluation = evaluationGraph(evaluated.fixed, task, evaluated.inputs);
    const needed = stepMemory(part === whole ? wholeStep : step(part), evaluation, {
      parameters: parameterCount(adapters),
      frozen: frozenCount(adapters),
      images: !readsTexts(model.graph),
    });
    const memory = { ...needed, ...(original !== undefined && { original }) };
    if (!rates) return { ...about, memory, problem: 'The speed of this machine could not be measured.' };
    return { ...about, memory, time: stepTime(wholeStep, rates) };
  } catch (e) {
    if (e instanceof UnknownSize)
      return {
        ...about,
        problem: `The size of what ${e.message} computes is known only once the model runs.`,
      };
    if (e instanceof AuroraError) return { ...about, problem: e.message };
    throw e;
  }
}

/** Beside a quantized file of the user's own, no copy is written. */
const int8Copies = ({ graph }: Model, quantize: 4 | 8 | undefined): Int8Copies =>
  quantize && holdsBothCopies(graph, availableMemory() ?? freemem()) ? 'two-copies' : 'one-copy';

/** The number of parts of a batch, unless the experiment says otherwise. */
function partsOf(pass: Pass, fixed: FixedModel, adapters: readonly LayerAdapter[]): number {
  const rows = adapters.flatMap(({ layer: { calls, inFeatures } }) =>
    calls.map(({ input }) => elementCount(fixed.infos.get(input)!.shape) / inFeatures),
  );
  const outputs = fixed.graph.nodes.flatMap((node) => node.outputs.filter((name) => name !== ''));
  return defaultParts({
    plain: isPlain({ pass }, adapters),
    rows: Math.max(0, ...rows),
    width: hiddenWidth(adapters),
    bytes: sum(outputs.map((name) => bytesOf(fixed, name))),
  });
}

function adapterOn(likely: readonly string[], { method, rank, targetModules }: CostChoice): AdapterSpec {
  const defaults = adapterDefaults(method) as unknown as AdapterSpec;
  if (isHeadAlone(defaults)) return defaults;
  const targets = targetModules ?? (likely.length > 0 ? [...likely] : 'all-linear');
  const usual: AdapterSpec = { ...defaults, targetModules: targets };
  return rank !== undefined && isRanked(usual) ? { ...usual, rank } : usual;
}

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
  const { quantize, precision } = choice;
  const form = copyForm(quantize, precision);
  const prepared = prepareModel(form ? quantizedOutline(upgraded(model), formOf(form)) : model);
  const original = form === 'int8' ? originalBytes(model, prepared) : undefined;
  const summary = { ...storedModel(source, model), ...summarizePrepared(model, prepared) };
  // One picture in training is usual, and often all that fits into memory.
  const batches = wanted ?? [model.graph.outputs.some((o) => o.name === 'out_sample') ? 1 : 8];
  const lengths = lengthsFor(path, given, summary.positions);
  const sizes = batches.flatMap((batch) => lengths.map((length) => ({ batch, length })));
  const rates = await ratesOf();
  const steps = sizes.map((size) => stepCost(prepared, { ...choice, ...size }, rates, original));
  return { ...summary, step: steps[0], ...(steps.length > 1 && { steps }) };
}

/** Bytes of a model's weights that its copy has in int8, under their names. */
const originalBytes = ({ graph }: Model, copy: Model): number =>
  sum(
    [...columnWeights(copy.graph).keys()].map((name) => {
      const weight = graph.initializers.get(name);
      return weight ? sizeOf(weight) : 0;
    }),
  );

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
