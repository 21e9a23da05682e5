import { isCount } from '../../base/guards';
import { parseMeasuredOn, type MeasuredOn } from '../../experiment/evaluation-sets';
import type { Answers } from '../answers/kinds';
import type { PredictionFacts } from '../predictions';
import type { FilePart } from '../row-place';

/** Messages between the Errors page and its host. */
export interface ErrorsOpen {
  /** Absolute path of the run folder. */
  run: string;
  step: number;
  /** Undefined for the validation data. */
  on?: MeasuredOn;
}

export type ErrorsFromHost =
  | PredictionsMessage
  /** The model is predicting; without numbers while it is being read. */
  | { type: 'predicting'; run: string; done?: number; of?: number }
  /** The content is outdated: the run was trained again, or the data were edited. */
  | { type: 'outdated'; because: 'run' | 'data' }
  /** Nothing can be shown. `again`: predicting again may help. */
  | { type: 'error'; message: string; again: boolean };

/** Everything; also sent after new predictions. */
export interface PredictionsMessage {
  type: 'predictions';
  /** The run's name. */
  run: string;
  experiment: string;
  /** The data file's name, or a pattern. */
  file: string;
  /** The file of each line, for a pattern. */
  parts?: readonly FilePart[];
  /** The chosen set, and all that the experiment has. */
  on: MeasuredOn;
  sets: readonly MeasuredOn[];
  /** Without paths. */
  predictions: ShownPredictions;
  /** Only so many of the examples have been predicted; the rest follows. */
  partial?: { done: number; of: number };
}

export type ShownPredictions = Omit<PredictionFacts, 'data'> & Answers;

export type ErrorsFromPage =
  | { type: 'openRow'; example: number }
  | { type: 'predict' }
  | { type: 'cancel' }
  | { type: 'copy'; text: string }
  /** Show the errors on another set. */
  | { type: 'openSet'; on: MeasuredOn };

/** Validates a message from the page; undefined if invalid. */
export function parseErrorsMessage(value: unknown): ErrorsFromPage | undefined {
  const { type, example, text, on } = (value ?? {}) as Record<string, unknown>;
  if (type === 'predict' || type === 'cancel') return { type };
  if (type === 'openRow' && isCount(example)) return { type, example };
  if (type === 'copy' && typeof text === 'string') return { type, text };
  const set = measuredOn(on);
  if (type === 'openSet' && set) return { type, on: set };
  return undefined;
}

/** Parses the subject of a panel that a reload restores. The host checks that the path is absolute. */
export function parseErrorsOpen(value: unknown): ErrorsOpen | undefined {
  const { run, step, on } = (value ?? {}) as Record<string, unknown>;
  if (typeof run !== 'string' || !isCount(step)) return undefined;
  const set = measuredOn(on);
  if (on !== undefined && !set) return undefined;
  return { run, step, ...(set && { on: set }) };
}

const measuredOn = (on: unknown): MeasuredOn | undefined =>
  typeof on === 'string' ? parseMeasuredOn(on) : undefined;
