/** A layer that "all-linear" excludes, and why. */
export interface LeftOut {
  path: string;
  /**
   * Its output is the model's own, the output that the task reads does not depend on it, or it is a router or an expert of a
   * mixture of experts.
   */
  why: 'output' | 'unreached' | 'routed';
}

/** "pooler.dense (does not reach the loss), classifier (the model's own output), 104 layers of routers and experts". */
export function leftOutText(leftOut: readonly LeftOut[]): string {
  // There may be thousands of them.
  const routed = leftOut.filter((l) => l.why === 'routed').length;
  const named = leftOut.flatMap(({ path, why }) =>
    why === 'routed'
      ? []
      : [`${path} (${why === 'output' ? "the model's own output" : 'does not reach the loss'})`],
  );
  return [...named, ...(routed > 0 ? [`${routed} layers of routers and experts`] : [])].join(', ');
}

/** A run's warning. PEFT excludes a model's output layer too, but may adapt the others. */
export function leftOutWarning(leftOut: readonly LeftOut[]): string[] {
  const beside = leftOut.filter((l) => l.why === 'unreached');
  return beside.length > 0 ? [`"all-linear" leaves out ${leftOutText(beside)}.`] : [];
}
