import { USUAL_SIZES } from '../../architectures/blocks/network';
import {
  likelyTargets,
  parameterCount,
  selectAdapters,
  type LayerAdapter,
} from '../../adapters/targets/select';
import { AuroraError } from '../../base/errors';
import { adapterDefaults } from '../../experiment/adapter-defaults';
import { isHeadAlone, isRanked, type AdapterSpec } from '../../experiment/methods';
import { findLinearLayers } from '../../graph/layers/linear';
import { elementCount, type Model } from '../../graph/model';
import { UnknownSize } from '../../graph/sizes/rule';
import type { MachineRates, StepCost } from '../../protocol/step-cost';
import { defaultParts, hiddenWidth, isPlain, type Pass } from '../../training/micro-batch/default-parts';
import { answerOf } from './answer';
import { fixedBatch, inputSizes, readsTexts, type BatchSize } from './input-sizes';
import { evaluationGraph, fixedModel, stepGraph, type FixedModel } from './step-graph';
import { bytesOf } from './live-bytes';
import { sum } from './node-work';
import { stepMemory } from './step-memory';
import { stepTime } from './step-time';

export interface CostChoice extends BatchSize {
  method: AdapterSpec['method'];
  /** The method's own if omitted. */
  rank?: number;
  /** The query and value layers if omitted. */
  targetModules?: string | string[];
  /** True if a new head is trained; by default where the model has no logits. */
  head?: boolean;
  /** The output that is trained on, if its name does not show it. */
  output?: string;
}

/**
 * The cost of a training step with an adapter, a new experiment's by default, and the answer that the model's output is
 * for, from the model's structure alone: no weight is read and no runtime is loaded.
 *
 * @param model at the internal opset
 * @param rates undefined if they could not be measured
 */
export function stepCost(model: Model, choice: CostChoice, rates: MachineRates | undefined): StepCost {
  const layers = findLinearLayers(model.graph);
  const spec = adapterOn(likelyTargets(layers), choice);
  const { method, batch, length } = choice;
  const about = {
    method,
    ...(isRanked(spec) && { rank: spec.rank }),
    batch,
    ...(readsTexts(model.graph) && { length }),
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
    const step = ({ fixed, inputs }: typeof whole) => stepGraph(fixed, { ...answer, adapters }, inputs);
    const wholeStep = step(whole);
    const part = partOf('step');
    const evaluated = partOf('evaluation');
    const evaluation = evaluationGraph(evaluated.fixed, { ...answer, adapters }, evaluated.inputs);
    const memory = stepMemory(part === whole ? wholeStep : step(part), evaluation, {
      parameters: parameterCount(adapters),
      images: !readsTexts(model.graph),
    });
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
