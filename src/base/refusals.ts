import { AuroraError } from './errors';

/** Reasons that a message lists before the rest is counted. */
const LISTED = 20;

/** Gathers refusals, so that a person sees all of them at once, not one after another. */
export class Refusals {
  private readonly found: AuroraError[] = [];

  add(error: AuroraError): void {
    if (!this.found.includes(error)) this.found.push(error);
  }

  /** Keeps an AuroraError that the action throws. */
  attempt(action: () => void): void {
    try {
      action();
    } catch (e) {
      if (!(e instanceof AuroraError)) throw e;
      this.add(e);
    }
  }

  /**
   * @throws AuroraError with a line for each, followed by what only it says of the way forward; the error itself if there is
   *   one
   */
  throwAll(): void {
    const [first, ...more] = this.found;
    if (first === undefined) return;
    if (more.length === 0) throw first;
    const hints = this.found.map((e) => sentences(e.hint));
    const common = hints[0].filter((s) => hints.every((h) => h.includes(s)));
    const lines = this.found.map((e, i) =>
      [e.message, ...hints[i].filter((s) => !common.includes(s))].join(' '),
    );
    const all = [...new Set(lines)];
    const rest = all.length - LISTED;
    throw new AuroraError(
      first.kind,
      [...all.slice(0, LISTED), ...(rest > 0 ? [`… and ${rest} more.`] : [])].join('\n'),
      common.length > 0 ? common.join(' ') : undefined,
      { cause: first },
    );
  }
}

const sentences = (text = ''): string[] => text.split(/(?<=\.) /).filter((s) => s !== '');
