/**
 * The errors that a user can cause, each with its own exit code, so that scripts can distinguish them. `message` names
 * the problem and its location; `hint` is the one next step.
 */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  experiment: 3,
  /** A valid model that cannot be used. */
  model: 4,
  notOnnx: 5,
  truncated: 6,
  externalMissing: 7,
  externalOutside: 8,
  operator: 9,
  targets: 10,
  rank: 11,
  data: 12,
  labels: 13,
  emptyData: 14,
  tokenizer: 15,
  vocabulary: 16,
  diverged: 17,
  disk: 18,
  device: 19,
  run: 20,
  /** The requested work does not fit into the device's memory. */
  memory: 21,
  /** An imported adapter that cannot be used. */
  adapter: 22,
  /** A merged export would lose more than allowed. */
  drop: 23,
  /** A run or a sweep that is owned by a process on another machine, or that another process has taken over. */
  owned: 24,
  /** The model, the tokenizer or the data of a run have changed. */
  inputs: 25,
  /** The folder of a run, or a file in it, was moved or removed during training. */
  lost: 26,
  /** A finished run whose best evaluation is worse than an answer that ignores the input. */
  baseline: 27,
  /** A server of the hub cannot be reached, or does not answer as it should. */
  network: 28,
  /** A repository that the user may not read or write, with this token or without one. */
  gated: 29,
  /** Saved, because the scheduler of a cluster ends it: to be started again (EX_TEMPFAIL of sysexits.h). */
  requeue: 75,
  stopped: 130,
} as const;

export type ErrorKind = Exclude<keyof typeof EXIT, 'ok'>;

export class AuroraError extends Error {
  override readonly name = 'AuroraError';
  constructor(
    readonly kind: ErrorKind,
    message: string,
    readonly hint?: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
  get exitCode(): number {
    return EXIT[this.kind];
  }
}
