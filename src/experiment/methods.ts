import { own } from '../base/names';
import {
  type AdapterSpec,
  type DoraSpec,
  type LoraSpec,
  type MethodName,
  METHODS,
  type NoAdapterSpec,
  type NonlinearSpec,
  type RankedSpec,
  type TrainedSpec,
} from './method-list';
import {
  type DataStart,
  type Initialization,
  type LayerRankedSpec,
  type MethodDescription,
  type OwnTraining,
  SIZE_LETTERS,
  type SizeSetting,
} from './method-settings';

export type * from './method-list';
export type * from './method-settings';
export { SIZE_SETTINGS, SPLINE_READINGS } from './method-settings';

export const isRanked = (spec: AdapterSpec): spec is RankedSpec => 'rank' in spec;

export const METHOD_ORDER = Object.keys(METHODS) as MethodName[];
export const DEFAULT_METHOD = METHOD_ORDER[0];

/** The methods that are on linear layers: those whose parameters follow from the layers' shapes, and that can be compared. */
export const LAYER_METHODS = METHOD_ORDER.filter((m) => !METHODS[m].onEmbedding);

/** Undefined for a head alone, and for a method from another version. */
export const aboutMethod = (method: string): Partial<MethodDescription> =>
  isMethod(method) ? METHODS[method] : {};

export const isMethod = (value: unknown): value is MethodName =>
  typeof value === 'string' && Object.hasOwn(METHODS, value);

/** The names as spelled in the papers. */
export const METHOD_NAMES = Object.fromEntries(METHOD_ORDER.map((m) => [m, METHODS[m].name])) as Record<
  MethodName,
  string
>;

/** No adapter: only the head is trained. */
export const HEAD_ALONE: NoAdapterSpec = { method: 'none' };

export const isHeadAlone = <S extends { method: string }>(spec: S): spec is Extract<S, NoAdapterSpec> =>
  spec.method === HEAD_ALONE.method;

export const isNonlinear = (spec: AdapterSpec): spec is NonlinearSpec =>
  aboutMethod(spec.method).nonlinear === true;

/** True if each layer has its own rank, which a pattern can change and a small layer limits. */
export const isRankedByLayer = (spec: AdapterSpec): spec is TrainedSpec & LayerRankedSpec => {
  const { size, oneRank } = aboutMethod(spec.method);
  return size === 'rank' && !oneRank;
};

const SPLITTING: readonly Initialization[] = ['pissa', 'olora', 'corda'];
const FROM_DATA: readonly Initialization[] = ['eva', 'corda'] satisfies DataStart[];

/** The names as spelled in the papers, of those that have one. */
export const INITIALIZATION_NAMES: Readonly<Record<Initialization, string>> = {
  'kaiming-uniform': 'kaiming-uniform',
  gaussian: 'gaussian',
  pissa: 'PiSSA',
  olora: 'OLoRA',
  eva: 'EVA',
  corda: 'CorDA',
};

/** A method that can start from the weights or from data. */
export type StartingSpec = LoraSpec | DoraSpec;

/** True if the adapter starts as a part of the weight, which is subtracted from it: W − s B0 A0. */
export const splitsWeight = (spec: AdapterSpec | { initialization: Initialization }): boolean =>
  'initialization' in spec && SPLITTING.includes(spec.initialization);

/** True if its initial values are computed before the first step, from the weights or from training data. */
export const isStarted = (spec: AdapterSpec): spec is StartingSpec =>
  'initialization' in spec && (splitsWeight(spec) || FROM_DATA.includes(spec.initialization));

export const isReference = (of: { method: string }): boolean => aboutMethod(of.method).role === 'reference';
export const isSubject = (of: { method: string }): boolean => aboutMethod(of.method).role === 'subject';

/** LoRA, with which the other methods are compared. */
export const REFERENCE = LAYER_METHODS.find((method) => isReference({ method }))!;

/** The default methods of a comparison. */
export const COMPARED: readonly AdapterSpec['method'][] = [
  ...METHOD_ORDER.filter((m) => METHODS[m].role),
  HEAD_ALONE.method,
];

/** Training settings that do not apply to a method, with the names of the methods to which they do. */
export const trainingOfOthers = (method: string): { key: OwnTraining; of: string }[] => {
  const own = aboutMethod(method).training ?? [];
  const keys = new Set(METHOD_ORDER.flatMap((m) => METHODS[m].training ?? []));
  return [...keys]
    .filter((key) => !own.includes(key))
    .map((key) => ({
      key,
      of: METHOD_ORDER.filter((m) => METHODS[m].training?.includes(key))
        .map((m) => METHOD_NAMES[m])
        .join(', '),
    }));
};

/** For a method that trains parameters inside the model. */
export const methodName = (spec: TrainedSpec): string =>
  'useRslora' in spec && spec.useRslora
    ? METHOD_NAMES[spec.method].replace('LoRA', 'rsLoRA')
    : METHOD_NAMES[spec.method];

/** The setting that determines its size: "r2", "n1000", "8 blocks"; empty if the layers alone determine it. */
export function methodSize(spec: AdapterSpec): string {
  const size = sizeOf(spec);
  if (!size) return '';
  const [setting, value] = size;
  if (setting === 'blockNum') return value === 1 ? '1 block' : `${value} blocks`;
  return `${SIZE_LETTERS[setting]}${value}`;
}

/** The setting that determines its size, with its value. The number of blocks counts instead of their size. */
export function sizeOf(spec: AdapterSpec): [SizeSetting | 'blockNum', number] | undefined {
  if ('blockNum' in spec && spec.blockNum !== undefined) return ['blockNum', spec.blockNum];
  const { size } = aboutMethod(spec.method);
  const value = size && own(spec as unknown as Record<string, number>, size);
  return value === undefined ? undefined : [size!, value];
}
