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

/** A mistake in a text that a person writes, and its place. */
export interface Mistake {
  file: string;
  /** From 1, as is the column. */
  line: number;
  column: number;
  /** Without the place. */
  message: string;
}

/**
 * Characters of a message and of a hint: a file can have a name, or a list of them, of any length. The 100 mistakes of an
 * experiment that are listed can take more than half of it.
 */
const MOST_MESSAGE = 60_000;
const MOST_HINT = 5_000;

/** A text, without its middle if it is too long: a message begins with the file and ends with what is wrong. */
function bounded(text: string, most: number): string {
  if (text.length <= most) return text;
  const kept = most / 2 - 100;
  return `${text.slice(0, kept)} … (${text.length - 2 * kept} characters) … ${text.slice(-kept)}`;
}

export class AuroraError extends Error {
  override readonly name = 'AuroraError';
  /** The mistakes that `message` lists, if they have places. */
  readonly mistakes?: readonly Mistake[];
  /** The next step. */
  readonly hint?: string;
  constructor(
    readonly kind: ErrorKind,
    message: string,
    hint?: string,
    { mistakes, ...options }: { cause?: unknown; mistakes?: readonly Mistake[] } = {},
  ) {
    super(bounded(message, MOST_MESSAGE), options);
    this.hint = hint === undefined ? undefined : bounded(hint, MOST_HINT);
    this.mistakes = mistakes;
  }
  get exitCode(): number {
    return EXIT[this.kind];
  }
}

/** An error as JSON, between processes and threads. One without a kind is our bug, with its stack trace. */
export type ErrorRecord = KnownError | { kind?: undefined; message: string; stack?: string };

export type KnownError = Pick<AuroraError, 'kind' | 'message' | 'hint' | 'mistakes'>;

export function errorRecord(e: AuroraError): KnownError;
export function errorRecord(e: unknown): ErrorRecord;
export function errorRecord(e: unknown): ErrorRecord {
  const { message, stack } = e instanceof Error ? e : new Error(String(e));
  if (!(e instanceof AuroraError)) return { message, stack };
  const { kind, hint, mistakes } = e;
  return { kind, message, hint, mistakes };
}

/** The error that `errorRecord` wrote. */
export function errorFrom(record: KnownError): AuroraError;
export function errorFrom(record: ErrorRecord): Error;
export function errorFrom(record: ErrorRecord): Error {
  if (record.kind === undefined) return Object.assign(new Error(record.message), { stack: record.stack });
  const { kind, message, hint, mistakes } = record;
  return new AuroraError(kind, message, hint, { mistakes });
}
