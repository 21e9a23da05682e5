import { parameterCount } from '../stored-tensors';
import { AuroraError } from '../../base/errors';
import { groupsBy } from '../../base/groups';
import { adapterDefaults } from '../../experiment/adapter-defaults';
import {
  aboutMethod,
  type AdapterSpec,
  type AuroraSpec,
  HEAD_ALONE,
  isMethod,
  isRanked,
  REFERENCE,
  type LoraSpec,
  sizeOf,
  type MethodName,
  type TrainedSpec,
} from '../../experiment/methods';
import { elementCount } from '../../graph/model';
import { plainLora } from '../methods/lora';
import { methodOf } from '../methods/registry';
import { adaptersFor, widestOf } from '../targets/select';
import { adaptersOn, type BudgetModule, rankLimit } from './budget';

/** Budgets for methods that have a size, as multiples of AuroRA's. */
export const MULTIPLES = [1, 2, 4, 8];

/** AuroRA without one of its parts, and with another activation (the paper's ablations). */
const ABLATIONS: Partial<AuroraSpec>[] = [
  { fixed: false },
  { learnable: false },
  { activation: 'leaky-relu' },
  { activation: 'sigmoid' },
];

export interface ComparisonChoice {
  methods: readonly AdapterSpec['method'][];
  multiples: readonly number[];
  ablations: boolean;
}

/**
 * The adapters of a comparison on the same modules: AuroRA as given, and each other method at the size (rank, number of
 * frequencies or block size) whose parameter count is nearest to each multiple of AuroRA's. A method with fixed size
 * appears once. All use AuroRA's scale alpha / rank. Errors as in `selectLayers`.
 */
export function comparedAdapters(
  modules: readonly BudgetModule[],
  base: AuroraSpec,
  { methods, multiples, ablations }: ComparisonChoice,
): AdapterSpec[] {
  const sizes = sizesLike(modules, base, multiples);
  const others = methods.filter((method) => method !== base.method).flatMap(sizes);
  const parts = ablations ? ABLATIONS.map((part) => ({ ...base, ...part })) : [];
  return [base, ...parts.filter((p) => !same(p, base)), ...others];
}

/** The adapters of each method of a comparison, by method; without those that these modules do not allow. */
export function possibleAdapters(
  modules: readonly BudgetModule[],
  base: AuroraSpec,
  methods: readonly AdapterSpec['method'][],
  multiples: readonly number[],
): Map<AdapterSpec['method'], AdapterSpec[]> {
  const sizes = sizesLike(modules, base, multiples);
  const possible = new Map<AdapterSpec['method'], AdapterSpec[]>();
  for (const method of methods) {
    try {
      const specs = sizes(method);
      for (const spec of specs) adaptersOn(modules, spec);
      possible.set(method, specs);
    } catch (e) {
      if (!(e instanceof AuroraError)) throw e;
    }
  }
  return possible;
}

/** A method's adapters at multiples of AuroRA's number of parameters. */
function sizesLike(
  modules: readonly BudgetModule[],
  base: AuroraSpec,
  multiples: readonly number[],
): (method: AdapterSpec['method']) => AdapterSpec[] {
  const own = countOf(modules, base);
  const layers = matchedLayers(modules, base);
  return (method) => {
    if (!isMethod(method)) return [HEAD_ALONE];
    const usual = likeBase(method, base);
    if (!aboutMethod(method).size) return [usual];
    const countAt = counterOn(layers, usual);
    return distinct(multiples.map((m) => nearest(layers, usual, m * own, countAt)));
  };
}

/** LoRA of a rank on the modules of an AuroRA adapter, with its scale and dropout. */
export const loraLike = (base: AuroraSpec, rank: number): LoraSpec =>
  sized(likeBase(REFERENCE, base), rank) as LoraSpec;

/**
 * The adapter with the largest size up to its own that the modules allow, with the same scale: C³A's usual block size does not
 * divide the sizes of every model. Unchanged if its own size fits, or no smaller one does.
 */
export function fittingAdapter(modules: readonly BudgetModule[], spec: TrainedSpec): TrainedSpec {
  try {
    adaptersOn(modules, spec);
    return spec;
  } catch (e) {
    if (!(e instanceof AuroraError)) throw e;
    const size = sizeOf(spec);
    if (e.kind !== 'rank' || !size) return spec;
    const layers = matchedLayers(modules, spec);
    const { sizes, sizeLimit } = methodOf(spec);
    const allowed = sizes?.(layers, spec) ?? [sizeLimit?.(layers) ?? rankLimit(layers)];
    const largest = Math.max(...allowed.filter((value) => value <= size[1]));
    return largest >= 1 ? sized(spec, largest) : spec;
  }
}

/** The trainable parameters of an adapter on a model's modules. */
export const countOf = (modules: readonly BudgetModule[], spec: AdapterSpec): number =>
  parameterCount(adaptersOn(modules, spec).adapters);

/** A method's defaults on AuroRA's modules, with AuroRA's scale and dropout. */
function likeBase(method: MethodName, base: AuroraSpec): TrainedSpec {
  const { targetModules, excludeModules, layersToTransform, layersPattern, dropout, initialization } = base;
  const defaults = adapterDefaults(method);
  return {
    ...defaults,
    targetModules,
    excludeModules,
    layersToTransform,
    layersPattern,
    ...('dropout' in defaults && { dropout }),
    ...('initialization' in defaults && { initialization }),
    ...(aboutMethod(method).hasAlpha && { alpha: base.alpha, rank: base.rank }),
  } as TrainedSpec;
}

/** The adapter of the size whose count on these layers is nearest to `wanted`. */
function nearest(
  layers: readonly BudgetModule[],
  usual: TrainedSpec,
  wanted: number,
  countAt: (spec: TrainedSpec) => number,
): TrainedSpec {
  const away = (spec: TrainedSpec) => Math.abs(countAt(spec) - wanted);
  const { sizes, reaching, sizeLimit } = methodOf(usual);
  if (sizes) {
    const able = reaching?.(usual, layers, wanted) ?? usual;
    const all = sizes(layers, able).map((size) => ({
      spec: sized(able, size),
      away: away(sized(able, size)),
    }));
    return all.reduce((best, next) => (next.away < best.away ? next : best)).spec;
  }
  const limit = sizeLimit?.(layers) ?? rankLimit(layers);
  const most = limit === Infinity ? wanted : limit;
  // The count grows with the size, so bisection finds the last one that is not above `wanted`.
  let [low, high] = [1, Math.max(1, Math.floor(most))];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (countAt(sized(usual, middle)) <= wanted) low = middle;
    else high = middle - 1;
  }
  const above = sized(usual, Math.min(low + 1, Math.floor(most)));
  const below = sized(usual, low);
  return away(above) < away(below) ? above : below;
}

/**
 * The trainable parameters of a method on the same layers. A search asks for thousands of sizes, so layers are matched once,
 * and those of one shape are counted together, unless layers share trained tensors.
 */
function counterOn(layers: readonly BudgetModule[], { method }: TrainedSpec): (spec: TrainedSpec) => number {
  const shapes = [...groupsBy(layers, ({ inFeatures, outFeatures }) => `${outFeatures}x${inFeatures}`)];
  const widest = widestOf(layers);
  const { tensors, shared } = methodOf({ method } as TrainedSpec);
  const paths = layers.map((l) => l.path);
  return (spec) => {
    const each = shapes.map(([, alike]) => {
      const on = { layer: alike[0], spec, widest };
      const trained = tensors(on).filter((t) => !t.frozen);
      return { on, trained, layers: alike.length };
    });
    const isShared = each.some(({ on, trained }) => {
      const common = shared?.(on, 0) ?? {};
      return trained.some(({ name }) => Object.hasOwn(common, name));
    });
    if (isShared) return parameterCount(adaptersFor(layers, spec, paths));
    return each.reduce(
      (sum, { trained, layers: n }) => sum + n * trained.reduce((m, { dims }) => m + elementCount(dims), 0),
      0,
    );
  };
}

/** The layers of an adapter, whatever its size. */
const matchedLayers = (modules: readonly BudgetModule[], usual: TrainedSpec): BudgetModule[] =>
  adaptersOn(modules, { ...plainLora(1), ...targetsOf(usual) }).adapters.map((a) => a.layer);

const targetsOf = ({ targetModules, excludeModules, layersToTransform, layersPattern }: TrainedSpec) => ({
  ...{ targetModules, excludeModules, layersToTransform, layersPattern },
});

function sized(spec: TrainedSpec, size: number): TrainedSpec {
  if (!isRanked(spec)) return { ...spec, [aboutMethod(spec.method).size!]: size };
  return 'alpha' in spec
    ? { ...spec, rank: size, alpha: (size * spec.alpha) / spec.rank }
    : { ...spec, rank: size };
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

const distinct = (specs: readonly TrainedSpec[]): TrainedSpec[] =>
  specs.filter((spec, i) => specs.findIndex((other) => same(other, spec)) === i);
