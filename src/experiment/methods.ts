import type {
  AdapterSpec,
  MethodName,
  NoAdapterSpec,
  NonlinearSpec,
  LayerRankedSpec,
  TrainedSpec,
  TrainingSpec,
} from './experiment';

/** What a method is, as far as that can be said without computing: `adapters/methods` has its other half. */
export interface MethodDescription {
  /** As the papers write it. */
  name: string;
  /** Half a sentence, for a person who chooses one. */
  summary: string;
  /** The setting that decides how many numbers it trains; left out where the layers alone decide. */
  size?: 'rank' | 'frequencies';
  /** The scale is alpha / rank, or alpha / √rank. */
  hasAlpha?: true;
  /** It ends in a product with a trained B. */
  hasB?: true;
  /** All layers share the matrices that have its rank: no layer has its own, and none is too small for it. */
  sharesRank?: true;
  /** It trains biases, and no weights. */
  onlyBiases?: true;
  /** A nonlinearity σ follows A, so that its dynamic form cannot be merged and its static form can. */
  nonlinear?: true;
  /** Settings of the training that mean something only for it, and for other methods that name them. */
  training?: readonly OwnTraining[];
  /** In a comparison: what is compared (`subject`), and what with if nothing else is chosen (`reference`). */
  role?: 'subject' | 'reference';
  /** Its place among the curves of parameters over the rank, if it has a curve. */
  curve?: number;
  /** Its settings that a new experiment states beside rank and targets, each with a comment. */
  draft?: readonly { comment: string; keys: readonly string[] }[];
}

type OwnTraining = keyof Pick<TrainingSpec, 'staticEpochs' | 'offsetPenalty'>;

const ALPHA = { comment: 'The output is scaled by alpha / rank.', keys: ['alpha'] };

/** In the order of lists; the first is the one of an experiment that names none. */
const METHODS: Record<MethodName, MethodDescription> = {
  aurora: {
    name: 'AuroRA',
    summary: 'a nonlinear layer between LoRA’s two matrices: fewer parameters at a smaller rank',
    size: 'rank',
    hasAlpha: true,
    hasB: true,
    nonlinear: true,
    training: ['staticEpochs', 'offsetPenalty'],
    role: 'subject',
    curve: 1,
    draft: [ALPHA],
  },
  lora: {
    name: 'LoRA',
    summary: 'two low-rank matrices: the usual way, to compare with',
    size: 'rank',
    hasAlpha: true,
    hasB: true,
    role: 'reference',
    curve: 2,
    draft: [ALPHA],
  },
  moslora: {
    name: 'MoSLoRA',
    summary: 'a small trained mixer between LoRA’s two matrices',
    size: 'rank',
    hasAlpha: true,
    hasB: true,
    curve: 4,
    draft: [ALPHA],
  },
  dora: {
    name: 'DoRA',
    summary: 'magnitude and direction of the weight apart, the direction changed by a LoRA',
    size: 'rank',
    hasAlpha: true,
    hasB: true,
    curve: 3,
    draft: [ALPHA],
  },
  // It trains as many numbers as LoRA, and so has no curve beside LoRA's.
  sinelora: {
    name: 'SineLoRA',
    summary: 'the sine of LoRA’s product, of high rank; needs memory for each weight it changes',
    size: 'rank',
    hasB: true,
    draft: [{ comment: 'ω: how fast the sine turns.', keys: ['frequency'] }],
  },
  vera: {
    name: 'VeRA',
    summary: 'two vectors on random matrices that all layers share',
    size: 'rank',
    sharesRank: true,
    curve: 5,
  },
  fourierft: {
    name: 'FourierFT',
    summary: 'a few coefficients of the change’s Fourier transform',
    size: 'frequencies',
    draft: [
      {
        comment: 'Trained numbers a layer, and what ΔW is multiplied by.',
        keys: ['frequencies', 'scaling'],
      },
    ],
  },
  bitfit: { name: 'BitFit', summary: 'the biases alone', onlyBiases: true },
  full: { name: 'Full fine-tuning', summary: 'the weights themselves: what adapters are measured by' },
};

export const METHOD_ORDER = Object.keys(METHODS) as MethodName[];
export const DEFAULT_METHOD = METHOD_ORDER[0];

/** Of a head alone, and of a method that only another version knows, nothing is said. */
export const aboutMethod = (method: string): Partial<MethodDescription> =>
  isMethod(method) ? METHODS[method] : {};

export const isMethod = (value: unknown): value is MethodName =>
  typeof value === 'string' && Object.hasOwn(METHODS, value);

/** As the papers write them. */
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

/** Whether its rank is that of each layer, which a pattern can change and a small layer limits. */
export const isRankedByLayer = (spec: AdapterSpec): spec is LayerRankedSpec => {
  const { size, sharesRank } = aboutMethod(spec.method);
  return size === 'rank' && !sharesRank;
};

export const isReference = (of: { method: string }): boolean => aboutMethod(of.method).role === 'reference';
export const isSubject = (of: { method: string }): boolean => aboutMethod(of.method).role === 'subject';

/** The methods of a comparison where none is chosen. */
export const COMPARED: readonly AdapterSpec['method'][] = [
  ...METHOD_ORDER.filter((m) => METHODS[m].role),
  HEAD_ALONE.method,
];

/** Settings of the training that mean nothing for a method, with the names of those for which they do. */
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

/** Of a method that trains something inside the model. */
export const methodName = (spec: TrainedSpec): string =>
  'useRslora' in spec && spec.useRslora
    ? METHOD_NAMES[spec.method].replace('LoRA', 'rsLoRA')
    : METHOD_NAMES[spec.method];

/** What its size goes by: "r2", "n1000"; empty where the layers alone decide. */
export function methodSize(spec: AdapterSpec): string {
  if ('rank' in spec) return `r${spec.rank}`;
  return 'frequencies' in spec ? `n${spec.frequencies}` : '';
}
