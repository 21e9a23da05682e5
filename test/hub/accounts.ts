import type { Request, Served } from './server';

/**
 * The bytes sent of each file, to find those that are fetched although the client had them: it has an answer that was sent
 * to its end once it asks for something else. A process that is killed before that may not have it. Wrong bytes show only
 * in the hash of the whole file, which may then be fetched once more.
 */
export class Accounts {
  readonly violations: string[] = [];
  /** Bytes of bodies, faulty and interrupted ones included. */
  sent = 0;
  private readonly had = new Map<string, number>();
  private readonly spoiled = new Set<string>();
  private pending: Served | undefined;

  /** A request has arrived. */
  asked({ file, start }: Request): void {
    this.settle();
    if (!file || start === undefined) return;
    const had = this.had.get(file.path) ?? 0;
    if (start >= had) return;
    if (start === 0 && this.spoiled.delete(file.path)) this.had.set(file.path, 0);
    else this.violations.push(`${file.path} was asked for from ${start}, but had arrived up to ${had}`);
  }

  served(answer: Served): void {
    this.sent += answer.sent;
    if (!answer.file || answer.end === undefined) return;
    if (answer.fault?.kind === 'wrong bytes' && answer.sent > 0) this.spoiled.add(answer.file.path);
    if (answer.whole) this.pending = answer;
  }

  /** The process was killed. */
  killed(): void {
    this.pending = undefined;
  }

  /** The process has what was sent. */
  settle(): void {
    const { file, end } = this.pending ?? {};
    this.pending = undefined;
    if (file && end !== undefined) this.had.set(file.path, Math.max(this.had.get(file.path) ?? 0, end));
  }
}
