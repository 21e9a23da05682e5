/** The end of a text whose last character is still incomplete. */
const UNFINISHED = /\ufffd+$/;

/**
 * The final text that new tokens add: a token may hold half a character, and its text may depend on earlier tokens, so
 * all of them are decoded again each time.
 */
export class TextStream {
  private told: string;
  private readonly begin: number;

  /** @param prompt the existing tokens */
  constructor(
    private readonly decode: (ids: readonly number[]) => string,
    prompt: readonly number[],
  ) {
    this.told = decode(prompt);
    this.begin = this.told.length;
  }

  /** @param ids all tokens, including the prompt's */
  more(ids: readonly number[]): string {
    const whole = this.decode(ids).replace(UNFINISHED, '');
    if (!whole.startsWith(this.told)) return '';
    const more = whole.slice(this.told.length);
    this.told = whole;
    return more;
  }

  /** The whole text without the prompt, even if its last character is incomplete. */
  text(ids: readonly number[]): string {
    return this.decode(ids).slice(this.begin);
  }
}
