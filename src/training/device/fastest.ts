import { onProcessor } from '../../engine/devices';
import type { Place } from '../../engine/place';
import type { TrialProblem } from './trial';

/** A measured device: seconds per step, or the reason why it was not measured. */
export interface Trial extends Partial<TrialProblem> {
  place: Place;
  secondsPerStep?: number;
  /** The machine has no such device. */
  missing?: true;
}

/** A smaller gain does not justify a driver, or bits that may differ from another machine's. */
const NEAR = 0.1;

/** The fastest of the measured devices; the CPU if it is nearly as fast. Undefined if none could be measured. */
export function fastest(trials: readonly Trial[]): Place | undefined {
  const measured = trials
    .filter((t): t is Trial & { secondsPerStep: number } => t.secondsPerStep !== undefined)
    .toSorted((a, b) => a.secondsPerStep - b.secondsPerStep);
  if (measured.length === 0) return undefined;
  const limit = measured[0].secondsPerStep * (1 + NEAR);
  const near = measured.find((t) => onProcessor(t.place) && t.secondsPerStep <= limit);
  return (near ?? measured[0]).place;
}
