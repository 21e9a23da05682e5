import { tokenize, type Token } from './lexer';
import { TemplateError } from './template-error';

/** Constructs that may stand within each other. */
const DEEPEST = 100;

/** The tokens of a template, read from the first to the last. */
export class Tokens {
  private readonly all: Token[];
  private at = 0;
  private depth = 0;

  constructor(template: string) {
    this.all = tokenize(template);
  }

  get current(): Token {
    return this.all[this.at];
  }

  get line(): number {
    return this.current.line;
  }

  next(): Token {
    const token = this.current;
    if (token.type !== 'end') this.at++;
    return token;
  }

  look(): Token {
    return this.all[Math.min(this.at + 1, this.all.length - 1)];
  }

  /** @param values any of them; none for every token of this type */
  is(type: Token['type'], ...values: string[]): boolean {
    return this.current.type === type && (values.length === 0 || values.includes(this.current.value));
  }

  skip(type: Token['type'], value?: string): boolean {
    const found = value === undefined ? this.is(type) : this.is(type, value);
    if (found) this.next();
    return found;
  }

  /** @throws TemplateError where another token stands */
  expect(type: Token['type'], value?: string): Token {
    if (value === undefined ? this.is(type) : this.is(type, value)) return this.next();
    return this.fail(`expected ${value === undefined ? type : JSON.stringify(value)}, got ${this.found()}`);
  }

  found(): string {
    const { type, value } = this.current;
    if (type === 'end') return 'the end of the template';
    if (type === 'close') return `the end of ${value}`;
    return JSON.stringify(value.slice(0, 40));
  }

  fail(message: string): never {
    throw new TemplateError(message, this.line);
  }

  /** @throws TemplateError where constructs nest too deeply */
  nested<T>(parse: () => T): T {
    if (++this.depth > DEEPEST) this.fail(`nested more than ${DEEPEST} deep`);
    const parsed = parse();
    this.depth--;
    return parsed;
  }
}
