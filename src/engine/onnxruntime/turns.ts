import type { Executable } from '../engine';
import { openSession, type SessionOptions } from './session';

/**
 * The sessions of one model. Each maps the weights for itself, and the memory of a process counts what each of them has
 * read: those of a large model take turns, so that its weights are there once. Each is opened when it is to run, and
 * stays open until another one runs.
 */
export class Turns {
  private open: { path: string; session: Executable } | undefined;

  /** @param alone true if only one of them may be open */
  constructor(private readonly alone: boolean) {}

  /** @param path of a graph with its weights by reference */
  async session(path: string, options: SessionOptions): Promise<Executable> {
    if (!this.alone) return openSession(path, options);
    const taken = async (): Promise<Executable> => {
      if (this.open?.path !== path) {
        await this.close();
        this.open = { path, session: await openSession(path, options) };
      }
      return this.open.session;
    };
    return {
      run: async (feeds, fetches) => (await taken()).run(feeds, fetches),
      dispose: async () => {
        if (this.open?.path === path) await this.close();
      },
    };
  }

  private async close(): Promise<void> {
    const { open } = this;
    this.open = undefined;
    await open?.session.dispose();
  }
}
