/** What the Layer activations page and its host say to each other. */
export interface ActivationsOpen {
  /** Absolute path of the run folder. */
  run: string;
}

export type ActivationsFromHost = ViewMessage | LayerMessage | WordsMessage | ErrorMessage;

/** All layers at one step. Sent anew when the step or the run changes. */
export interface ViewMessage {
  type: 'view';
  /** The run's name. */
  run: string;
  experiment: string;
  /** New snapshots may still come. */
  live: boolean;
  /** The steps of all snapshots, in order; empty before the first. */
  steps: number[];
  step: number;
  /** Whether the page follows the newest. */
  following: boolean;
  /** Why there is nothing to draw, or no curve: a whole sentence, translated. */
  notice?: string;
  /** Undefined for a method without σ. */
  sigma?: SigmaInfo;
  layers: LayerCard[];
  callOuts: CallOut[];
}

export interface SigmaInfo {
  activation: string;
  fixed: boolean;
  learnable: boolean;
  gridRange: [number, number];
  /** Where the spline is not zero; undefined without one. */
  support?: [number, number];
}

export interface LayerCard {
  path: string;
  rank: number;
  range: [number, number];
  /** Values of z at each coordinate. */
  tokens: number;
  /** Over all coordinates: what lies below the range, the bins, what lies above. */
  counts: Uint32Array;
  /** Output i over zᵢ, at evenly spaced points of the range; of at most CARD_CURVES coordinates. */
  curves: Float32Array[];
  /** Undefined for a method without σ. */
  shape?: ShapeNumbers;
}

export const CARD_CURVES = 4;

export interface ShapeNumbers {
  /** R² of the best straight line over the data; 1 is a line. */
  linearity: number;
  saturation: number;
  /** Weighted RMS difference to the first snapshot's curve, and as a share of the curve's spread. */
  change: number;
  relativeChange: number;
  /** Undefined without a spline. */
  outside?: number;
}

export interface CallOut {
  kind: 'outside' | 'saturated' | 'linear' | 'bent' | 'changed';
  /** The layer it links to. */
  path: string;
  /** A whole sentence, to be translated; {0}, {1} are to be filled in with the values, as vscode.l10n.t does. */
  sentence: string;
  values: string[];
}

/** One layer in the large: output `output` while z of `input` runs, the others at their medians. */
export interface LayerMessage {
  type: 'layer';
  step: number;
  firstStep: number;
  path: string;
  rank: number;
  output: number;
  input: number;
  range: [number, number];
  /** Of the input coordinate: below, the bins, above. */
  counts: Uint32Array;
  tokens: number;
  /** Undefined for a method without σ. All over `z`; `first` is the sum with the first snapshot's H and W. */
  curves?: {
    z: Float32Array;
    fixed: Float32Array;
    spline: Float32Array;
    sum: Float32Array;
    first: Float32Array;
  };
  /** Of this curve alone; `outside` of the input coordinate. */
  shape?: ShapeNumbers;
  /** 1, 25, 50, 75 and 99 % of the input coordinate's z lie below these. */
  quantiles: [number, number, number, number, number];
  /** The least and largest z; undefined in old runs. */
  extremes?: [number, number];
  medians: number[];
  /** rank × rank; empty without the fixed part. */
  H: Float32Array;
  /** rank × basisCentres.length; empty without the spline. */
  W: Float32Array;
  basisCentres: number[];
}

/** What landed in one bin. */
export interface WordsMessage {
  type: 'words';
  step: number;
  path: string;
  coordinate: number;
  bin: number;
  /** Infinite at the open ends. */
  from: number;
  to: number;
  /** All that landed there; `words` are the first few. */
  count: number;
  words: Word[];
  /** How many validation rows the snapshots look at. */
  examples: number;
  /** Why there are no words. */
  notice?: string;
}

export interface Word {
  example: number;
  /** The data file's name and the row's line in it. */
  file: string;
  line: number;
  label?: string;
  before: string;
  /** Empty in runs that kept no text: then only `id` is known. */
  token: string;
  after: string;
  id: number;
}

export interface ErrorMessage {
  type: 'error';
  message: string;
}

export type ActivationsFromPage =
  | { type: 'show'; step: number | 'latest' }
  /** Without a path no layer is large. */
  | { type: 'layer'; path?: string; output: number; input: number }
  | { type: 'bin'; path: string; coordinate: number; bin: number }
  | { type: 'openRow'; example: number }
  | { type: 'copy'; text: string };

const isCount = (value: unknown): value is number => Number.isInteger(value) && (value as number) >= 0;

/** A message from the page, checked; undefined for what is not one. */
export function parseActivationsMessage(value: unknown): ActivationsFromPage | undefined {
  const m = (value ?? {}) as Record<string, unknown>;
  if (m.type === 'show' && (m.step === 'latest' || isCount(m.step))) return { type: 'show', step: m.step };
  if (
    m.type === 'layer' &&
    isCount(m.output) &&
    isCount(m.input) &&
    ['string', 'undefined'].includes(typeof m.path)
  )
    return { type: 'layer', path: m.path as string | undefined, output: m.output, input: m.input };
  if (m.type === 'bin' && typeof m.path === 'string' && isCount(m.coordinate) && isCount(m.bin))
    return { type: 'bin', path: m.path, coordinate: m.coordinate, bin: m.bin };
  if (m.type === 'openRow' && isCount(m.example)) return { type: 'openRow', example: m.example };
  if (m.type === 'copy' && typeof m.text === 'string') return { type: 'copy', text: m.text };
  return undefined;
}
