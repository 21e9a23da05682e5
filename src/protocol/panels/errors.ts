import type { Answers, PredictionFacts } from '../predictions';

/** Messages between the Errors page and its host. */
export interface ErrorsOpen {
  /** Absolute path of the run folder. */
  run: string;
  step: number;
}

export type ErrorsFromHost =
  | PredictionsMessage
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
  /** The validation file's name. */
  file: string;
  /** Without paths. */
  predictions: ShownPredictions;
}

export type ShownPredictions = Omit<PredictionFacts, 'data'> & Answers;

export type ErrorsFromPage =
  { type: 'openRow'; example: number } | { type: 'predict' } | { type: 'copy'; text: string };

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** Validates a message from the page; undefined if invalid. */
export function parseErrorsMessage(value: unknown): ErrorsFromPage | undefined {
  const { type, example, text } = (value ?? {}) as Record<string, unknown>;
  if (type === 'predict') return { type };
  if (type === 'openRow' && isCount(example)) return { type, example };
  if (type === 'copy' && typeof text === 'string') return { type, text };
  return undefined;
}

/** What a panel was opened for, as restored by a reload. The host checks that the path is absolute. */
export function parseErrorsOpen(value: unknown): ErrorsOpen | undefined {
  const { run, step } = (value ?? {}) as Record<string, unknown>;
  return typeof run === 'string' && isCount(step) ? { run, step } : undefined;
}
