import { AuroraError } from '../../base/errors';
import type { Plan } from './plan';

/** The point where a sweep's trial pauses: a number of epochs or optimizer steps from its start. */
export interface PausePoint {
  unit: 'epoch' | 'step';
  value: number;
}

/** "epoch:1.5" or "step:40". */
export function parsePausePoint(text: string | undefined): PausePoint | undefined {
  if (text === undefined) return undefined;
  const [, unit, value] = /^(epoch|step):(\d+(?:\.\d+)?)$/.exec(text) ?? [];
  if (unit === undefined)
    throw new AuroraError('usage', `--pause-at takes epoch:NUMBER or step:NUMBER, not "${text}".`);
  return { unit: unit as PausePoint['unit'], value: Number(value) };
}

/** True if a run pauses after `step` optimizer steps: at an evaluation, since evaluations are compared. */
export const pauses = (plan: Plan, step: number, at: PausePoint | undefined): boolean =>
  at !== undefined &&
  plan.evaluates(step) &&
  (at.unit === 'step' ? step : step / plan.stepsPerEpoch) >= at.value;
