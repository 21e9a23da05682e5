import { isCount, isText } from '../../base/guards';
import type { SplineReading } from '../../experiment/methods';
import type { Patch, ShownImage } from '../activation-examples';
import type { NonlinearityFacts } from '../reports/nonlinearity-report';

/** Messages between the Layer activations page and its host. */
export interface ActivationsOpen {
  /** Absolute path of the run folder. */
  run: string;
}

export type ActivationsFromHost =
  ViewMessage | NonlinearityMessage | LayerMessage | WordsMessage | ErrorMessage;

/** All layers at one step. Sent again when the step or the run changes. */
export interface ViewMessage {
  type: 'view';
  /** The run's name. */
  run: string;
  experiment: string;
  /** More snapshots may follow. */
  live: boolean;
  /** The steps of all snapshots, in order; empty before the first. */
  steps: number[];
  step: number;
  /** True if the page follows the newest snapshot. */
  following: boolean;
  /** The reason why there is nothing to draw, or no curve: a full sentence, translated. */
  notice?: string;
  /** Undefined for a method without σ. */
  sigma?: SigmaInfo;
  layers: LayerCard[];
  callOuts: CallOut[];
}

/**
 * The loss that replacing σ by its linear fit causes, as `aurora nonlinearity` measured it at the shown step, otherwise at
 * the best. Sent after each view, and while it is measured.
 */
export interface NonlinearityMessage {
  type: 'nonlinearity';
  /** Undefined if it has not been measured. */
  result?: NonlinearityFacts;
  /** The content is outdated: the run was trained again, or the data were edited. */
  outdated?: 'run' | 'data';
  /** The step that would be measured, the best; undefined before an evaluation, and for a head alone. */
  best?: number;
  /** The progress, while it is measured. */
  measuring?: MeasuringProgress;
  /** The reason why it was not measured, translated. */
  error?: string;
}

export interface MeasuringProgress {
  words: string;
  /** Progress of the current part, in [0, 1]. */
  share?: number;
}

export interface SigmaInfo {
  activation: string;
  fixed: boolean;
  learnable: boolean;
  spline: SplineReading;
  gridRange: [number, number];
  /** The interval in which the spline is nonzero; undefined without one. */
  support?: [number, number];
}

export interface LayerCard {
  path: string;
  rank: number;
  range: [number, number];
  /** Number of values of z at each coordinate. */
  tokens: number;
  /** Over all coordinates: values below the range, the bins, values above. */
  counts: Uint32Array;
  /** Output i over zᵢ, at evenly spaced points of the range, for at most CARD_CURVES coordinates. */
  curves: Float32Array[];
  /** Undefined for a method without σ. */
  shape?: ShapeNumbers;
}

export const CARD_CURVES = 4;

export interface ShapeNumbers {
  /** R² of the best linear fit over the data; 1 is a straight line. */
  linearity: number;
  saturation: number;
  /** Weighted RMS difference from the first snapshot's curve, and as a share of the curve's spread. */
  change: number;
  relativeChange: number;
  /** Undefined without a spline. */
  outside?: number;
}

export interface CallOut {
  kind: 'outside' | 'saturated' | 'linear' | 'bent' | 'changed';
  /** The linked layer. */
  path: string;
  /** A full sentence to translate, with {0}, {1} for the values, as in vscode.l10n.t. */
  sentence: string;
  values: string[];
}

/** A layer in detail: output `output` as z of `input` varies, with the others at their medians. */
export interface LayerMessage {
  type: 'layer';
  step: number;
  firstStep: number;
  path: string;
  rank: number;
  output: number;
  input: number;
  range: [number, number];
  /** Counts of the input coordinate: below, the bins, above. */
  counts: Uint32Array;
  tokens: number;
  /** Undefined for a method without σ. All over `z`; `first` is the sum with the first snapshot's H and W. */
  curves?: {
    z: Float32Array;
    fixed: Float32Array;
    spline: Float32Array;
    sum: Float32Array;
    first: Float32Array;
    /** The linear fit along the same line, if it was measured at this step. */
    fitted?: Float32Array;
  };
  /** For this curve only; `outside` for the input coordinate. */
  shape?: ShapeNumbers;
  /** 1, 25, 50, 75 and 99% of the input coordinate's z lie below these. */
  quantiles: [number, number, number, number, number];
  /** The least and largest z; undefined in old runs. */
  extremes?: [number, number];
  medians: number[];
  /** rank × rank; empty without the fixed part. */
  H: Float32Array;
  /**
   * rank × basisCenters.length; empty without the spline. Row i belongs to output i, or, with a spline per pair, to the pair
   * of `output` and input i.
   */
  W: Float32Array;
  basisCenters: number[];
}

/** The contents of one bin. */
export interface WordsMessage {
  type: 'words';
  step: number;
  path: string;
  coordinate: number;
  bin: number;
  /** Infinite for the open end bins. */
  from: number;
  to: number;
  /** The total count; `words` are the first few. */
  count: number;
  words: Word[];
  /** The number of validation rows that the snapshots cover. */
  examples: number;
  /** The reason why the words are missing. */
  notice?: string;
}

export interface Word {
  example: number;
  /** The data file's name and the row's line in it. */
  file: string;
  line: number;
  label?: string;
  before: string;
  /** Empty in runs that stored no text: then only `id` is known. */
  token: string;
  after: string;
  id: number;
  /** For a row that is an image: the image, and the part of it that the token stands for, if it does. */
  image?: ShownImage;
  patch?: Patch;
  /** For an image whose layer reads its prompt: the token's position in the prompt, from 0. */
  position?: number;
}

export interface ErrorMessage {
  type: 'error';
  message: string;
}

export type ActivationsFromPage =
  | { type: 'show'; step: number | 'latest' }
  /** Without a path, no layer is shown in detail. */
  | { type: 'layer'; path?: string; output: number; input: number }
  | { type: 'bin'; path: string; coordinate: number; bin: number }
  | { type: 'openRow'; example: number }
  /** Measure the effect of σ at the best step, also if there is a result; or end that. */
  | { type: 'measure' }
  | { type: 'cancel' }
  | { type: 'copy'; text: string };

/** Validates a message from the page; undefined if invalid. */
export function parseActivationsMessage(value: unknown): ActivationsFromPage | undefined {
  const { type, step, path, output, input, coordinate, bin, example, text } = (value ?? {}) as Record<
    string,
    unknown
  >;
  if (type === 'show' && (step === 'latest' || isCount(step))) return { type, step };
  if (type === 'layer' && isCount(output) && isCount(input) && (path === undefined || isText(path)))
    return { type, path, output, input };
  if (type === 'bin' && isText(path) && isCount(coordinate) && isCount(bin))
    return { type, path, coordinate, bin };
  if (type === 'openRow' && isCount(example)) return { type, example };
  if (type === 'measure' || type === 'cancel') return { type };
  if (type === 'copy' && isText(text)) return { type, text };
  return undefined;
}

/** Parses the subject of a panel that a reload restores. The host checks that the path is absolute. */
export function parseActivationsOpen(value: unknown): ActivationsOpen | undefined {
  const { run } = (value ?? {}) as Record<string, unknown>;
  return isText(run) ? { run } : undefined;
}
