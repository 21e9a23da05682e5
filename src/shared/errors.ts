/**
 * The errors a person can cause, each with its own exit code, so that scripts can tell them apart.
 * `message` names the thing and the place; `hint` is the one next step.
 */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  experiment: 3,
  model: 4,
  operator: 5,
  targets: 6,
  data: 7,
  tokenizer: 8,
  diverged: 9,
  disk: 10,
  device: 11,
  run: 12,
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
