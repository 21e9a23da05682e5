/** A single failure may come from a virus scanner or the network; this many in a row are reported. */
const WORTH_REPORTING = 3;

/**
 * Repeated disk operations. Failures are never thrown: the next attempt is the retry. A lasting failure is reported
 * once, and so is its end.
 */
export class Looks {
  private readonly failing = new Map<string, { count: number; reported: boolean }>();

  /** @param report gets full sentences */
  constructor(private readonly report: (message: string) => void) {}

  /**
   * @param what for the report: "The heartbeat could not be written", without the error
   * @returns the result of `look`; undefined if it failed
   */
  try<T>(what: string, look: () => T): { value: T } | undefined {
    try {
      const value = look();
      if (this.failing.get(what)?.reported) this.report(`${what} for a while; it works again.`);
      this.failing.delete(what);
      return { value };
    } catch (e) {
      const failure = this.failing.get(what) ?? { count: 0, reported: false };
      this.failing.set(what, failure);
      if (++failure.count === WORTH_REPORTING) {
        failure.reported = true;
        this.report(`${what} (${codeOf(e)}). Retrying; training continues.`);
      }
      return undefined;
    }
  }
}

function codeOf(e: unknown): string {
  const { code, cause, message } = e as NodeJS.ErrnoException & { cause?: NodeJS.ErrnoException };
  return code ?? cause?.code ?? message;
}
