import type { LinearFit } from '../../adapters/fit/linear-fit';
import type { FitProgress } from '../../protocol/linear-fit';
import type { At } from '../checkpoint/trained-run';

export interface FitOptions {
  /** For each layer; 4,096 by default. */
  tokens?: number;
  emit?: (line: FitProgress) => void | Promise<void>;
  signal?: AbortSignal;
}

/**
 * The linear fit of a run's adapter at a step: the one kept in the run if it belongs to these values, otherwise computed
 * from the run's training data and kept. Without layers if the adapter is linear at that step: a method without σ, or
 * AuroRA whose static form was trained.
 *
 * @throws AuroraError 'inputs' if the training data are missing or have changed; 'run' if the run has no such state
 * @throws the signal's reason if it is aborted
 */
export async function fitOf(run: string, at: At, options: FitOptions = {}): Promise<LinearFit> {
  await Promise.resolve();
  throw new Error(`not implemented: ${run} ${at} ${options.tokens}`);
}
