/** The end of a text whose last character still lacks bytes. */
const UNFINISHED = /\ufffd+$/;

/**
 * What new tokens add to a text, as far as it is certain: a token may hold half a character, and how it reads may
 * depend on those before it. So all of them are decoded anew each time.
 */
export class TextStream {
  private told: string;
  private readonly begin: number;

  /** @param prompt the tokens that are there already */
  constructor(
    private readonly decode: (ids: readonly number[]) => string,
    prompt: readonly number[],
  ) {
    this.told = decode(prompt);
    this.begin = this.told.length;
  }

  /** @param ids all of them, the prompt's too */
  more(ids: readonly number[]): string {
    const whole = this.decode(ids).replace(UNFINISHED, '');
    if (!whole.startsWith(this.told)) return '';
    const more = whole.slice(this.told.length);
    this.told = whole;
    return more;
  }

  /** The whole text without the prompt, its last character finished or not. */
  text(ids: readonly number[]): string {
    return this.decode(ids).slice(this.begin);
  }
}
