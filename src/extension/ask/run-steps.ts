import { t } from '../../base/l10n';

/** The outcome of a step: continue, go back, or canceled. */
export type Outcome = 'next' | 'back' | 'cancel';

export interface Place {
  title: string;
  step: number;
  /** All steps of this path, those before it included. */
  total: number;
  /** True if earlier answers still determine the number. */
  about: boolean;
}

export interface Step<S> {
  /** True if the step is asked at all, given the answers when its turn comes. */
  applies(state: S): boolean | Promise<boolean>;
  /**
   * Predicts `applies` before its turn, so that titles can count it; "unlikely" if left out. A step is likely if most
   * paths that are still possible ask it.
   */
  ahead?(state: S): boolean | Likelihood;
  run(state: S, place: Place): Promise<Outcome>;
}

export type Likelihood = 'likely' | 'unlikely';

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
    const { count, about } = followers(steps.slice(at + 1), state);
    const outcome = await steps[at].run(state, { title, step, total: step + count, about });
    if (outcome === 'cancel') return false;
    if (outcome === 'next') asked.push(at++);
    else at = asked.pop() ?? at;
  }
  return true;
}

/** The number of steps that will be asked, exactly or about. */
function followers<S>(steps: readonly Step<S>[], state: S): { count: number; about: boolean } {
  const ahead = steps.map((step) => step.ahead?.(state) ?? 'unlikely');
  return {
    count: ahead.filter((asked) => asked === true || asked === 'likely').length,
    about: ahead.some((asked) => typeof asked === 'string'),
  };
}

/** "New Experiment (9 of 13)", or "New Experiment (3 of about 11)" while the number of steps is not known. */
export const titleAt = ({ title, step, total, about }: Place): string =>
  about ? t('{0} ({1} of about {2})', title, step, total) : t('{0} ({1} of {2})', title, step, total);
