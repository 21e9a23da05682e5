import { AuroraError } from '../base/errors';
import type { PreparedTool, ToolInput } from './tool';

/**
 * The texts that people were asked about, for a front end that prepares a call twice: for its question and for its
 * answer. The language model may change an experiment between the two.
 */
export class AskedTexts {
  private readonly texts = new Map<string, string>();

  /** Remembers the text of a question, in place of an earlier one about the same call. */
  ask(name: string, input: ToolInput, { subject }: Pick<PreparedTool, 'subject'>): void {
    if (subject !== undefined) this.texts.set(keyOf(name, input), subject);
  }

  /**
   * Forgets the question.
   *
   * @throws AuroraError 'usage' if the call is now about another text
   */
  requireAsked(name: string, input: ToolInput, { subject }: Pick<PreparedTool, 'subject'>): void {
    const key = keyOf(name, input);
    const asked = this.texts.get(key);
    this.texts.delete(key);
    if (asked !== undefined && asked !== subject)
      throw new AuroraError(
        'usage',
        'The experiment was changed while the question about it was open, so nothing was started.',
        'Call the tool again: the user is asked about the experiment as it is now.',
      );
  }
}

const keyOf = (name: string, input: ToolInput): string => JSON.stringify([name, input]);
