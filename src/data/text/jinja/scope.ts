import { TemplateError } from './template-error';
import type { Value } from './jinja-values';

/** Characters that one rendering may produce. */
const MOST_OUTPUT = 16_000_000;

/** Variables of a loop, a macro or a block, and of those around it. */
export class Scope {
  readonly own = new Map<string, Value>();
  constructor(readonly outer?: Scope) {}

  find(name: string): Value | undefined {
    const value = this.own.get(name);
    return value === undefined ? this.outer?.find(name) : value;
  }
}

/** Text that is being written. */
export class Output {
  private readonly parts: string[] = [];
  size = 0;

  add(text: string): void {
    this.size += text.length;
    if (this.size > MOST_OUTPUT)
      throw new TemplateError(
        `it writes more than ${MOST_OUTPUT.toLocaleString('en')} characters for one conversation`,
      );
    this.parts.push(text);
  }

  get text(): string {
    return this.parts.join('');
  }
}
