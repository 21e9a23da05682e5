import { characters, SPACE, strip } from './python-text';
import { TemplateError } from './template-error';

interface Token {
  type: 'text' | 'open' | 'close' | 'name' | 'string' | 'integer' | 'float' | 'operator' | 'end';
  /** The value of `open`: '{%' or '{{'. */
  value: string;
  line: number;
}

const sticky = (source: string) => new RegExp(source, 'yu');
const WHITE = sticky(`${SPACE}+`);
const BLOCK_END = sticky(`\\+%\\}|-%\\}${SPACE}*|%\\}\\n?`);
const VARIABLE_END = sticky(`-\\}\\}${SPACE}*|\\}\\}`);
const RAW = sticky(`\\{%[-+]?${SPACE}*raw${SPACE}*(?:-%\\}${SPACE}*|%\\})`);
const RAW_END = new RegExp(`\\{%([-+]?)${SPACE}*endraw${SPACE}*(?:\\+%\\}|-%\\}${SPACE}*|%\\}\\n?)`, 'gu');
const FLOAT = sticky(
  '(?<!\\.)(?:\\d+_)*\\d+(?:(?:\\.(?:\\d+_)*\\d+)?[eE][+-]?(?:\\d+_)*\\d+|\\.(?:\\d+_)*\\d+)',
);
const INTEGER = sticky(
  '0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0[xX](?:_?[\\da-fA-F])+|[1-9](?:_?\\d)*|0(?:_?0)*',
);
const NAME = sticky('[\\p{L}\\p{Nl}_][\\p{L}\\p{Nl}\\p{Mn}\\p{Mc}\\p{Nd}\\p{Pc}]*');
const OPERATOR = sticky('\\*\\*|//|==|!=|>=|<=|[-+*/%~()\\[\\]{}<>=.:|,;]');
const PAIRS: Record<string, string> = { ')': '(', ']': '[', '}': '{' };

/**
 * A template's tokens, read as transformers sets Jinja2 up: with trim_blocks and lstrip_blocks, and one newline for every
 * kind of line end.
 *
 * @throws TemplateError
 */
function tokenize(template: string): Token[] {
  const source = template.replace(/\r\n?/g, '\n').replace(/\n$/, '');
  return new Lexer(source).run();
}

class Lexer {
  private at = 0;
  private line = 1;
  private lineStarts = true;
  private readonly tokens: Token[] = [];

  constructor(private readonly source: string) {}

  run(): Token[] {
    while (this.at < this.source.length) {
      const open = this.nextOpening();
      if (open < 0) {
        this.add('text', this.source.slice(this.at));
        break;
      }
      const kind = this.source.slice(open, open + 2);
      const sign = this.source[open + 2];
      this.text(this.source.slice(this.at, open), sign, kind !== '{{');
      if (kind === '{#') this.comment(open, sign);
      else if (!this.raw(open)) this.code(open, kind, sign);
    }
    this.tokens.push({ type: 'end', value: '', line: this.line });
    return this.tokens;
  }

  private nextOpening(): number {
    const found = /\{[%{#]/g;
    found.lastIndex = this.at;
    return found.exec(this.source)?.index ?? -1;
  }

  private add(type: Token['type'], value: string): void {
    this.tokens.push({ type, value, line: this.line });
  }

  private moveTo(at: number): void {
    for (let i = this.at; i < at; i++) if (this.source[i] === '\n') this.line++;
    if (at > this.at) this.lineStarts = this.source[at - 1] === '\n';
    this.at = at;
  }

  /** Text before a tag, without the white space that the tag removes. */
  private text(text: string, sign: string, isBlock: boolean): void {
    const shown = this.beforeTag(text, sign, isBlock);
    if (shown !== '') this.add('text', shown);
    this.moveTo(this.at + text.length);
  }

  private beforeTag(text: string, sign: string, isBlock: boolean): string {
    if (sign === '-') return strip(text, null, 'right');
    if (sign === '+' || !isBlock) return text;
    const start = text.lastIndexOf('\n') + 1;
    if (start === 0 && !this.lineStarts) return text;
    return strip(text.slice(start)) === '' ? text.slice(0, start) : text;
  }

  private comment(open: number, sign: string): void {
    const from = open + (sign === '-' || sign === '+' ? 3 : 2);
    const end = this.source.indexOf('#}', from);
    if (end < 0) throw new TemplateError('a comment does not end', this.line);
    const last = end > from ? this.source[end - 1] : '';
    let next = end + 2;
    if (last === '-') next += this.match(WHITE, next).length;
    else if (last !== '+' && this.source[next] === '\n') next++;
    this.moveTo(next);
  }

  private raw(open: number): boolean {
    const begin = this.match(RAW, open);
    if (begin === '') return false;
    this.moveTo(open + begin.length);
    RAW_END.lastIndex = this.at;
    const end = RAW_END.exec(this.source);
    if (!end) throw new TemplateError('{% raw %} does not end', this.line);
    this.text(this.source.slice(this.at, end.index), end[1], true);
    this.moveTo(end.index + end[0].length);
    return true;
  }

  private code(open: number, kind: string, sign: string): void {
    const begun = this.line;
    this.add('open', kind);
    this.moveTo(open + (sign === '-' || sign === '+' ? 3 : 2));
    const closing = kind === '{%' ? BLOCK_END : VARIABLE_END;
    const brackets: string[] = [];
    for (;;) {
      this.moveTo(this.at + this.match(WHITE, this.at).length);
      if (this.at >= this.source.length) throw new TemplateError(`${kind} is not closed`, begun);
      const end = brackets.length === 0 ? this.match(closing, this.at) : '';
      if (end !== '') {
        this.add('close', kind);
        this.moveTo(this.at + end.length);
        return;
      }
      this.inside(brackets);
    }
  }

  private inside(brackets: string[]): void {
    const character = this.source[this.at];
    if (character === '"' || character === "'") return this.quoted(character);
    for (const [type, pattern] of [
      ['float', FLOAT],
      ['integer', INTEGER],
      ['name', NAME],
      ['operator', OPERATOR],
    ] as const) {
      const value = this.match(pattern, this.at);
      if (value === '') continue;
      if (type === 'operator') this.bracket(value, brackets);
      this.add(type, value);
      this.moveTo(this.at + value.length);
      return;
    }
    throw new TemplateError(`unexpected character ${JSON.stringify(character)}`, this.line);
  }

  private bracket(value: string, brackets: string[]): void {
    if ('([{'.includes(value)) brackets.push(value);
    else if (PAIRS[value] !== undefined && brackets.pop() !== PAIRS[value])
      throw new TemplateError(`unexpected "${value}"`, this.line);
  }

  private quoted(quote: string): void {
    let end = this.at + 1;
    while (end < this.source.length && this.source[end] !== quote) end += this.source[end] === '\\' ? 2 : 1;
    if (end >= this.source.length) throw new TemplateError('a string does not end', this.line);
    this.add('string', unescaped(this.source.slice(this.at + 1, end)));
    this.moveTo(end + 1);
  }

  private match(pattern: RegExp, at: number): string {
    pattern.lastIndex = at;
    return pattern.exec(this.source)?.[0] ?? '';
  }
}

const ESCAPES: Record<string, string> = {
  n: '\n', t: '\t', r: '\r', b: '\b', f: '\f', v: '\v', a: '\x07', "'": "'", '"': '"', '\\': '\\', '\n': '',
}; // prettier-ignore

/** A string's escapes as Python reads them; unknown ones stay as they are written. */
const unescaped = (text: string): string =>
  text.replace(
    /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{1,3})|([^]))/g,
    (all, x?: string, u?: string, long?: string, octal?: string, character?: string) => {
      const hex = x ?? u ?? long;
      if (hex !== undefined) return codePoint(parseInt(hex, 16), all);
      if (octal !== undefined) return codePoint(parseInt(octal, 8), all);
      return Object.hasOwn(ESCAPES, character!) ? ESCAPES[character!] : all;
    },
  );

function codePoint(code: number, written: string): string {
  if (code > 0x10ffff) throw new TemplateError(`${written} is not a character`);
  return String.fromCodePoint(code);
}

/** Digits of a number literal, without the underscores between them. */
export const digits = (text: string): string =>
  characters(text)
    .filter((c) => c !== '_')
    .join('');

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
