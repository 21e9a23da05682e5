import { parameterCount } from '../stored-tensors';
import { AuroraError } from '../../base/errors';
import { nameTable } from '../../base/names';
import { count, percent } from '../../base/number-text';
import { adapterDefaults } from '../../experiment/adapter-defaults';
import {
  aboutMethod,
  type AdapterSpec,
  isHeadAlone,
  isNonlinear,
  isRanked,
  isReference,
  METHOD_NAMES,
  LAYER_METHODS,
  type RankedSpec,
  type TrainedSpec,
} from '../../experiment/methods';
import type { IntegerType } from '../../graph/file/safetensors';
import { elementCount } from '../../graph/model';
import type { AdapterBudget, Budget, Curve } from '../../protocol/budget';
import { peftKeys } from '../file-keys';
import { plainLora } from '../methods/lora';
import type { LayerShape } from '../methods/method';
import { methodOf } from '../methods/registry';
import { basisCount } from '../methods/spline';
import { type LayerAdapter, type NamedLayer, selectLayers, type UselessLayers } from '../targets/select';

/** A linear layer as `aurora inspect --json` lists it: all the calculator knows about a model. */
export interface BudgetModule extends NamedLayer {
  /** Calls per forward pass. */
  calls: number;
  /** Its output is the model's own, so "all-linear" leaves it out. */
  output?: boolean;
  /** It is a router or an expert, so "all-linear" leaves it out. */
  routed?: boolean;
  /** The output that the task reads does not depend on it; see `taskLayers`. */
  unreached?: boolean;
  /** It belongs to the pooler of a folder's base model. */
  pooler?: true;
}

type BudgetAdapter = LayerAdapter<BudgetModule>;

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
  routed: modules.filter((m) => m.routed).map((m) => m.path),
  poolers: modules.filter((m) => m.pooler).map((m) => m.path),
});

/**
 * The full cost of an adapter on a model. Throws AuroraError `targets` if nothing matches or an expression is invalid,
 * `rank` if a layer does not allow the adapter's size or LoRA's rank, `usage` for a method on the embedding.
 */
export function budgetOf(
  modules: readonly BudgetModule[],
  spec: TrainedSpec,
  { modelParameters, tokens, ...options }: BudgetOptions,
): Budget {
  if (aboutMethod(spec.method).onEmbedding)
    throw new AuroraError(
      'usage',
      `${METHOD_NAMES[spec.method]} are rows of the embedding, so their cost does not follow from the linear layers.`,
      'They have the hidden size in parameters each: `aurora preflight` counts them in an experiment.',
    );
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
    warnings: [
      ...warnings,
      ...besidesOf(spec).map(
        (key) => `What adapter.${key} names is trained besides, and is not counted here.`,
      ),
    ],
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
  if ('tokenIndices' in spec) {
    const rows = new Set(spec.tokenIndices).size;
    return rows === 1 ? 'one row of the embedding is trained' : `${rows} rows of the embedding are trained`;
  }
  const sentence = adapterSentence(modules, spec);
  const besides = besidesOf(spec);
  return besides.length === 0 ? sentence : `${sentence}, and ${besides.join(' and ')}`;
}

/** The settings with which more is trained than an adapter on each layer. */
const besidesOf = (spec: TrainedSpec): string[] =>
  Object.entries({
    modulesToSave: 'modulesToSave' in spec ? spec.modulesToSave : [],
    trainableTokenIndices: 'trainableTokenIndices' in spec ? spec.trainableTokenIndices : [],
  })
    .filter(([, values]) => values !== undefined && values.length > 0)
    .map(([setting]) => setting);

function adapterSentence(modules: readonly BudgetModule[], spec: TrainedSpec): string {
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

/**
 * Floating-point operations of the adapters' products as each method counts them, with a multiply-add as two: forward
 * and backward for one token, `step` for all tokens of a step plus the work done once per step.
 */
function flopsOf(adapters: readonly BudgetAdapter[], tokens: number): AdapterBudget['flops'] {
  const sum = { forward: 0, backward: 0, step: 0 };
  for (const adapter of adapters) {
    const { calls } = adapter.layer;
    const { forward, backward, step = 0 } = methodOf(adapter.spec).flops(adapter);
    sum.forward += calls * forward;
    sum.backward += calls * backward;
    sum.step += calls * (tokens * (forward + backward) + step);
  }
  return sum;
}

/** Values of σ's parts in one forward pass of one token: r(G+k) spline bases, 2r activations per call. */
function nonlinearOf(adapters: readonly BudgetAdapter[]): AdapterBudget['nonlinear'] {
  let bases = 0;
  let activations = 0;
  for (const { layer, spec } of adapters) {
    if (!isNonlinear(spec)) continue;
    if (spec.learnable) bases += layer.calls * spec.rank * basisCount(spec);
    if (spec.fixed) activations += layer.calls * 2 * spec.rank;
  }
  return { bases, activations };
}

/** The frozen linear layers' own products, forward, for one token: 2 · in · out per call. */
const modelForwardFlops = (modules: readonly BudgetModule[]): number =>
  modules.reduce((sum, m) => sum + 2 * m.calls * m.inFeatures * m.outFeatures, 0);

/** Modules of one shape, counted together: a large model has hundreds of modules but only a handful of shapes. */
interface ShapeCount extends LayerShape {
  modules: number;
}

/** Only this many ranks are plotted; between them the curves look straight. */
const MOST_POINTS = 64;

/**
 * Parameters by rank, for every method whose rank changes them: of the chosen one with its own settings, such as
 * AuroRA's spline. The curves extend beyond `rank`, but never beyond `limit`.
 */
function budgetCurves(
  modules: readonly LayerShape[],
  spec: TrainedSpec,
  rank: number,
  limit: number,
): Curve[] {
  const shapes = countShapes(modules);
  const ranks = ranksUpTo(Math.min(limit, Math.max(16, 2 ** Math.ceil(Math.log2(2 * rank)))));
  return CURVES.map((usual) => {
    const drawn = isRanked(spec) && spec.method === usual.method ? spec : usual;
    const method = methodOf(drawn);
    const ofModule = (layer: LayerShape, r: number) =>
      method
        .tensors({ layer, spec: { ...drawn, rank: r }, widest: layer })
        .reduce((n, t) => n + (t.frozen ? 0 : elementCount(t.dims)), 0);
    return {
      id: usual.method,
      name: METHOD_NAMES[usual.method],
      formula: method.formula(drawn),
      points: ranks.map((r) => ({
        rank: r,
        parameters: shapes.reduce((sum, s) => sum + s.modules * ofModule(s, r), 0),
      })),
    };
  });
}

function countShapes(modules: readonly LayerShape[]): ShapeCount[] {
  const counts = new Map<string, ShapeCount>();
  for (const { inFeatures, outFeatures } of modules) {
    const key = `${outFeatures}x${inFeatures}`;
    const shape = counts.get(key) ?? { inFeatures, outFeatures, modules: 0 };
    counts.set(key, { ...shape, modules: shape.modules + 1 });
  }
  return [...counts.values()];
}

function ranksUpTo(last: number): number[] {
  const step = Math.max(1, Math.ceil(last / MOST_POINTS));
  const ranks = Array.from({ length: Math.floor(last / step) }, (_, i) => (i + 1) * step);
  return [...new Set([1, ...ranks, last])].sort((a, b) => a - b);
}

/** An experiment's defaults, with AuroRA's spline. */
const CURVES = LAYER_METHODS.filter((m) => aboutMethod(m).curve !== undefined)
  .sort((a, b) => aboutMethod(a).curve! - aboutMethod(b).curve!)
  .map((m) => adapterDefaults(m) as unknown as RankedSpec);

/**
 * Metadata that a run writes next to the tensors; PEFT ignores unknown keys. The step has a fixed width, so that the
 * file's size is known before the run.
 */
export const weightsMetadata = (step: number): Record<string, string> => ({
  format: 'pt',
  step: String(step).padStart(9, '0'),
});

/** Bytes of the adapter_model.safetensors that a run writes, without a task head. */
export const adapterFileSize = (
  adapters: readonly LayerAdapter<NamedLayer>[],
  others: readonly StoredShape[] = [],
): AdapterBudget['file'] => {
  const stored = new Map(others.map((shape) => [shape[0], shape]));
  for (const { layer, tensors } of adapters)
    for (const t of tensors)
      for (const key of peftKeys(layer.path, t)) stored.set(key, [key, t.dims, t.integers]);
  return safetensorsSize([...stored.values()], weightsMetadata(0));
};

/** The type is F32 if omitted. */
type StoredShape = [key: string, dims: number[], type?: IntegerType];

/**
 * Size of a safetensors file from names, shapes and types alone, as `encodeSafetensors` writes it: 8 bytes of length, a
 * JSON header padded to 8 bytes, 4 bytes per number, 8 for I64.
 */
export function safetensorsSize(
  tensors: readonly StoredShape[],
  metadata: Record<string, string>,
): AdapterBudget['file'] {
  const header = nameTable<unknown>([['__metadata__', metadata]]);
  let data = 0;
  for (const [name, shape, dtype = 'F32'] of [...tensors].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const bytes = (dtype === 'I64' ? 8 : 4) * elementCount(shape);
    header[name] = { dtype, shape, data_offsets: [data, (data += bytes)] };
  }
  const json = new TextEncoder().encode(JSON.stringify(header)).length;
  const padded = Math.ceil(json / 8) * 8;
  return { header: padded, data, total: 8 + padded + data };
}
