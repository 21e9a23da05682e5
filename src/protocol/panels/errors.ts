import type { Predictions } from '../predictions';

/** What the Errors page and its host say to each other. */
export interface ErrorsOpen {
  /** Absolute path of the run folder. */
  run: string;
  step: number;
}

export type ErrorsFromHost =
  | PredictionsMessage
  /** What is shown is no longer true: the run was trained anew, or the data were edited. */
  | { type: 'outdated'; because: 'run' | 'data' }
  /** Nothing can be shown. `again`: predicting anew may help. */
  | { type: 'error'; message: string; again: boolean };

/** Everything; also sent when it was predicted anew. */
export interface PredictionsMessage {
  type: 'predictions';
  /** The run's name. */
  run: string;
  experiment: string;
  /** The validation file's name. */
  file: string;
  predictions: Omit<Predictions, 'data' | 'evaluation'>;
}

export type ErrorsFromPage =
  { type: 'openRow'; example: number } | { type: 'predict' } | { type: 'copy'; text: string };

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** A message from the page, checked; undefined for what is not one. */
export function parseErrorsMessage(value: unknown): ErrorsFromPage | undefined {
  const { type, example, text } = (value ?? {}) as Record<string, unknown>;
  if (type === 'predict') return { type };
  if (type === 'openRow' && isCount(example)) return { type, example };
  if (type === 'copy' && typeof text === 'string') return { type, text };
  return undefined;
}

/** What a panel was opened for, as it comes back after a reload; whether the path is absolute is for the host to see. */
export function parseErrorsOpen(value: unknown): ErrorsOpen | undefined {
  const { run, step } = (value ?? {}) as Record<string, unknown>;
  return typeof run === 'string' && isCount(step) ? { run, step } : undefined;
}
