import { percent } from '../../base/percent';
import { AuroraError } from '../../base/errors';
import {
  type AdapterSpec,
  isHeadAlone,
  isRanked,
  isReference,
  type TrainedSpec,
} from '../../experiment/methods';
import type { AdapterBudget, Budget } from '../../protocol/budget';
import { budgetCurves } from './curves';
import { adapterFileSize } from './file';
import { modelForwardFlops, flopsOf, nonlinearOf } from './flops';
import type { UselessLayers } from '../targets/choose';
import { plainLora } from '../../adapters/methods/lora';
import { methodOf } from '../methods/registry';
import { parameterCount, selectLayers, type LayerAdapter, type NamedLayer } from '../targets/select';
import { count } from '../../base/number-text';

/** A linear layer as `aurora inspect --json` lists it: all the calculator knows about a model. */
export interface BudgetModule extends NamedLayer {
  /** Calls per forward pass. */
  calls: number;
  /** Its output is the model's own, so "all-linear" leaves it out. */
  output?: boolean;
  /** The output that the task reads does not depend on it; see `taskLayers`. */
  unreached?: boolean;
}

export type BudgetAdapter = LayerAdapter<BudgetModule>;

export interface BudgetOptions {
  /** All parameters of the model, if known. */
  modelParameters?: number;
  /** Rank of the LoRA to compare with; default: 8, or the largest that the layers allow. */
  loraRank?: number;
  /** Tokens per optimizer step. */
  tokens: number;
}

/** The modules that get an adapter, with its tensors: selected and counted by the trainer's own code. */
export const adaptersOn = (modules: readonly BudgetModule[], spec: AdapterSpec) =>
  selectLayers(modules, uselessLayers(modules), spec);

/** The ones that "all-linear" leaves out. */
export const uselessLayers = (modules: readonly BudgetModule[]): UselessLayers => ({
  outputs: modules.filter((m) => m.output).map((m) => m.path),
  unreached: modules.filter((m) => m.unreached).map((m) => m.path),
});

/**
 * The full cost of an adapter on a model. Throws AuroraError `targets` if nothing matches or an expression is invalid,
 * `rank` if the adapter's rank or LoRA's exceeds the limit of a layer.
 */
export function budgetOf(
  modules: readonly BudgetModule[],
  spec: TrainedSpec,
  { modelParameters, tokens, ...options }: BudgetOptions,
): Budget {
  const { adapters, leftOut, warnings } = adaptersOn(modules, spec);
  const matched = adapters.map((a) => a.layer);
  const loraRank = options.loraRank ?? referenceRank(matched);
  const parameters = parameterCount(adapters);
  const exactRank = equalCostRank(matched, parameters);
  // A layer smaller than its fair share of the cost still takes no rank above its own.
  const rank = Math.min(Math.max(1, Math.round(exactRank)), rankLimit(matched));
  return {
    modules: adapters.map((adapter) => ({
      path: adapter.layer.path,
      inFeatures: adapter.layer.inFeatures,
      outFeatures: adapter.layer.outFeatures,
      calls: adapter.layer.calls,
      ...(isRanked(adapter.spec) && { rank: adapter.spec.rank }),
      parameters: parameterCount([adapter]),
    })),
    warnings,
    leftOut,
    layers: modules.length,
    modelParameters,
    modelForwardFlops: modelForwardFlops(modules),
    adapter: costOf(adapters, tokens),
    lora: { rank: loraRank, ...costOf(loraOn(matched, loraRank), tokens) },
    equal: { rank, exactRank, ...costOf(loraOn(matched, rank), tokens) },
    formula: methodOf(spec).formula(spec),
    curves: budgetCurves(
      matched,
      spec,
      Math.max(isRanked(spec) ? spec.rank : 1, loraRank, rank),
      rankLimit(matched),
    ),
  };
}

/** The largest rank that every module allows. */
export const rankLimit = (modules: readonly NamedLayer[]): number =>
  modules.reduce((least, m) => Math.min(least, m.inFeatures, m.outFeatures), Infinity);

/** A line for a CodeLens on an experiment: "74,208 trainable, 25% of LoRA r=8". Errors as in `budgetOf`. */
export function budgetSentence(modules: readonly BudgetModule[], spec: AdapterSpec): string {
  if (isHeadAlone(spec)) return 'no adapter, only the head is trained';
  const { adapters } = adaptersOn(modules, spec);
  const parameters = parameterCount(adapters);
  const trainable = `${count(parameters)} trainable`;
  if (isReference(spec))
    return `${trainable} in ${adapters.length} ${adapters.length === 1 ? 'module' : 'modules'}`;
  const matched = adapters.map((a) => a.layer);
  const rank = referenceRank(matched);
  const share = parameters / parameterCount(loraOn(matched, rank));
  return `${trainable}, ${percent(share, share < 0.1 ? 1 : 0)} of LoRA r=${rank}`;
}

/** The rank of the paper's LoRA baselines on GLUE. */
const REFERENCE_RANK = 8;

const referenceRank = (modules: readonly NamedLayer[]): number =>
  Math.min(REFERENCE_RANK, rankLimit(modules));

/** LoRA's cost is proportional to its rank, so one division gives the rank, a real number. */
const equalCostRank = (modules: readonly BudgetModule[], parameters: number): number =>
  parameters / parameterCount(loraOn(modules, 1));

/** LoRA of one rank on exactly these modules. */
function loraOn(modules: readonly BudgetModule[], rank: number): BudgetAdapter[] {
  const limit = rankLimit(modules);
  if (rank > limit)
    throw new AuroraError(
      'rank',
      `LoRA's rank ${rank} is too large for the smallest matched layer, which allows at most ${limit}.`,
      'Compare with a smaller rank.',
    );
  return selectLayers(modules, { outputs: [], unreached: [] }, plainLora(rank)).adapters;
}

function costOf(adapters: readonly BudgetAdapter[], tokens: number): AdapterBudget {
  const parameters = parameterCount(adapters);
  const bytes = 4 * parameters;
  return {
    parameters,
    file: adapterFileSize(adapters),
    memory: { parameters: bytes, gradients: bytes, moments: 2 * bytes, total: 4 * bytes },
    flops: flopsOf(adapters, tokens),
    nonlinear: nonlinearOf(adapters),
  };
}
