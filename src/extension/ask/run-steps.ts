import type { Translate } from '../translate';

/** The outcome of a step: continue, go back, or canceled. */
export type Outcome = 'next' | 'back' | 'cancel';

export interface Place {
  title: string;
  step: number;
  /** All steps of this path; undefined while it is not known which ones follow. */
  total?: number;
}

export interface Step<S> {
  /** Whether the step is asked at all, given what is known when its turn comes. */
  applies(state: S): boolean | Promise<boolean>;
  /**
   * The same before its turn, so that titles can count it; undefined, or left out, while earlier steps decide.
   */
  ahead?(state: S): boolean | undefined;
  run(state: S, place: Place): Promise<Outcome>;
}

/** Spread into a step that is always asked. */
export const always = { applies: () => true, ahead: () => true };

/** Asks the steps in turn, with a Back button. False if the user canceled. */
export async function runSteps<S>(title: string, steps: readonly Step<S>[], state: S): Promise<boolean> {
  const asked: number[] = [];
  for (let at = 0; at < steps.length;) {
    if (!(await steps[at].applies(state))) {
      at++;
      continue;
    }
    const step = asked.length + 1;
    const left = followers(steps.slice(at + 1), state);
    const total = left === undefined ? undefined : step + left;
    const outcome = await steps[at].run(state, { title, step, ...(total !== undefined && { total }) });
    if (outcome === 'cancel') return false;
    if (outcome === 'next') asked.push(at++);
    else at = asked.pop() ?? at;
  }
  return true;
}

/** How many of the steps will be asked; undefined if that is not known of each. */
function followers<S>(steps: readonly Step<S>[], state: S): number | undefined {
  const ahead = steps.map((step) => step.ahead?.(state));
  return ahead.includes(undefined) ? undefined : ahead.filter((asked) => asked).length;
}

/** "New Experiment (9 of 13)", or "New Experiment (step 3)" while the number of steps is not known. */
export const titleAt = ({ title, step, total }: Place, t: Translate): string =>
  total === undefined ? t('{0} (step {1})', title, step) : t('{0} ({1} of {2})', title, step, total);
