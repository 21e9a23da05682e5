/** A layer that "all-linear" excludes, and why. */
export interface LeftOut {
  path: string;
  /** Its output is the model's own, or the output that the task reads does not depend on it. */
  why: 'output' | 'unreached';
}

/** "pooler.dense (does not reach the loss), classifier (the model's own output)". */
export const leftOutText = (leftOut: readonly LeftOut[]): string =>
  leftOut
    .map(
      ({ path, why }) =>
        `${path} (${why === 'output' ? "the model's own output" : 'does not reach the loss'})`,
    )
    .join(', ');

/** A run's warning. PEFT excludes a model's output layer too, but may adapt the others. */
export function leftOutWarning(leftOut: readonly LeftOut[]): string[] {
  const beside = leftOut.filter((l) => l.why === 'unreached');
  return beside.length > 0 ? [`"all-linear" leaves out ${leftOutText(beside)}.`] : [];
}
