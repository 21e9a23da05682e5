import { adapterDefaults } from '../../experiment/adapter-defaults';
import {
  aboutMethod,
  type AdapterSpec,
  type AuroraSpec,
  HEAD_ALONE,
  isMethod,
  isRanked,
  isReference,
  type LoraSpec,
  LAYER_METHODS,
  type MethodName,
  type TrainedSpec,
} from '../../experiment/methods';
import { plainLora } from '../methods/lora';
import { methodOf } from '../methods/registry';
import { parameterCount } from '../targets/select';
import { adaptersOn, type BudgetModule, rankLimit } from './budget';

/** Budgets for methods sized by rank or number of frequencies, as multiples of AuroRA's. */
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
 * The adapters of a comparison on the same modules: AuroRA as given, and each other method at the rank (FourierFT: the
 * number of frequencies) whose parameter count is nearest to each multiple of AuroRA's. A method with fixed size
 * appears once. All use AuroRA's scale alpha / rank. Errors as in `selectLayers`.
 */
export function comparedAdapters(
  modules: readonly BudgetModule[],
  base: AuroraSpec,
  { methods, multiples, ablations }: ComparisonChoice,
): AdapterSpec[] {
  const own = countOf(modules, base);
  const others = methods
    .filter((method) => method !== base.method)
    .flatMap((method): AdapterSpec[] => {
      if (!isMethod(method)) return [HEAD_ALONE];
      const usual = likeBase(method, base);
      if (!aboutMethod(method).size) return [usual];
      return distinct(multiples.map((m) => nearest(modules, usual, m * own)));
    });
  const parts = ablations ? ABLATIONS.map((part) => ({ ...base, ...part })) : [];
  return [base, ...parts.filter((p) => !same(p, base)), ...others];
}

/** LoRA of a rank on the modules of an AuroRA adapter, with its scale and dropout. */
export const loraLike = (base: AuroraSpec, rank: number): LoraSpec =>
  sized(
    likeBase(
      LAYER_METHODS.find((method) => isReference({ method }))!,
      base,
    ),
    rank,
  ) as LoraSpec;

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

/** The adapter with the rank or number of frequencies whose count is nearest to `wanted`. */
function nearest(modules: readonly BudgetModule[], usual: TrainedSpec, wanted: number): TrainedSpec {
  const away = (spec: TrainedSpec) => Math.abs(countOf(modules, spec) - wanted);
  const { sizes, reaching } = methodOf(usual);
  if (sizes) {
    const matched = matchedLayers(modules, usual);
    const able = reaching?.(usual, matched, wanted) ?? usual;
    const all = sizes(matched, able).map((size) => sized(able, size));
    return all.reduce((best, spec) => (away(spec) < away(best) ? spec : best));
  }
  const layers = adaptersOn(modules, sized(usual, 1)).adapters.map((a) => a.layer);
  const limit = methodOf(usual).sizeLimit?.(layers) ?? rankLimit(layers);
  const most = limit === Infinity ? wanted : limit;
  // The count grows with the size, so bisection finds the last one that is not above `wanted`.
  let [low, high] = [1, Math.max(1, Math.floor(most))];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (countOf(modules, sized(usual, middle)) <= wanted) low = middle;
    else high = middle - 1;
  }
  const above = sized(usual, Math.min(low + 1, Math.floor(most)));
  const below = sized(usual, low);
  return away(above) < away(below) ? above : below;
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
