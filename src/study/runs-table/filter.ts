import { t } from '../../base/l10n';
import { columnNamed, type FilterProblem, matcher, type Operator, type Token, tokens } from './filter-terms';
import { type Column, type Row, valueAt } from './table';

export type RowTest = (row: Row) => boolean;

/** Nobody writes a filter with deeper nesting, which would overflow the stack. */
const DEEPEST = 50;

/**
 * A filter such as `accuracy > 0.9 and (rank = 2 or tag = good)` for rows under these columns. An empty one matches all rows.
 * docs/runs.md describes the language.
 */
export function parseFilter(
  text: string,
  columns: readonly Column[],
): { test: RowTest } | { problem: FilterProblem } {
  const found = tokens(text);
  if (!Array.isArray(found)) return { problem: found };
  if (found.length === 1) return { test: () => true };
  try {
    return { test: new Parser(found, columns).whole() };
  } catch (e) {
    if (e instanceof Stop) return { problem: e.problem };
    throw e;
  }
}

/** Leaves the parser; never the module. */
class Stop extends Error {
  constructor(readonly problem: FilterProblem) {
    super(problem.message);
  }
}

/** Recursive descent: or < and < not < a comparison or parentheses. */
class Parser {
  private next = 0;
  private depth = 0;

  constructor(
    private readonly found: readonly Token[],
    private readonly columns: readonly Column[],
  ) {}

  whole(): RowTest {
    const test = this.or();
    if (this.token.kind === 'end') return test;
    if (this.token.kind === 'close') throw this.stop(t('This ")" has no "(".'));
    throw this.expected(t('"and", "or" or the end of the filter'));
  }

  private or(): RowTest {
    const tests = [this.and()];
    while (this.takes('or')) tests.push(this.and());
    return tests.length === 1 ? tests[0] : (row) => tests.some((test) => test(row));
  }

  private and(): RowTest {
    const tests = [this.not()];
    while (this.takes('and')) tests.push(this.not());
    return tests.length === 1 ? tests[0] : (row) => tests.every((test) => test(row));
  }

  private not(): RowTest {
    if (++this.depth > DEEPEST) throw this.stop(t('This filter is nested too deeply.'));
    const test = this.takes('not') ? negated(this.not()) : this.primary();
    this.depth--;
    return test;
  }

  private primary(): RowTest {
    if (!this.is('open')) return this.comparison();
    this.next++;
    const test = this.or();
    if (!this.is('close')) throw this.expected('")"');
    this.next++;
    return test;
  }

  private comparison(): RowTest {
    const name = this.token;
    if ((name.kind !== 'word' && name.kind !== 'quoted') || isKeyword(name))
      throw this.expected(t('a column, such as accuracy or rank'));
    const at = columnNamed(this.columns, name.text);
    if (typeof at === 'string') throw this.stop(at);
    this.next++;
    const column = this.columns[at];
    if (this.token.kind !== 'operator') {
      // "star and not (rank = 2)"
      if (column.type === 'boolean') return (row) => valueAt(this.columns, row, at) === true;
      throw this.expected(t('=, !=, <, <=, >, >= or contains'));
    }
    const operator = this.token.text as Operator;
    this.next++;
    const value = this.token;
    if ((value.kind !== 'word' && value.kind !== 'quoted') || isKeyword(value))
      throw this.expected(t('a value'));
    const matches = this.matches(column, operator, value);
    this.next++;
    return (row) => matches(valueAt(this.columns, row, at));
  }

  private matches(column: Column, operator: Operator, value: Token) {
    if (value.kind === 'word' && value.text.toLowerCase() === 'none') {
      if (operator === '=') return (v: unknown) => v === null;
      if (operator === '!=') return (v: unknown) => v !== null;
    }
    const found = matcher(column, operator, value.text);
    if (typeof found === 'string') throw this.expected(found);
    return found;
  }

  private get token(): Token {
    return this.found[this.next];
  }

  private is(kind: Token['kind']): boolean {
    return this.token.kind === kind;
  }

  private takes(word: 'and' | 'or' | 'not'): boolean {
    const taken = this.token.kind === 'word' && this.token.text.toLowerCase() === word;
    if (taken) this.next++;
    return taken;
  }

  private expected(what: string): Stop {
    return this.stop(
      this.token.kind === 'end'
        ? t('The filter ends too early. Expected {0}.', what)
        : t('Expected {0} instead of "{1}".', what, this.token.text),
    );
  }

  private stop(message: string): Stop {
    return new Stop({ message, at: this.token.at, length: this.token.length });
  }
}

const negated =
  (test: RowTest): RowTest =>
  (row) =>
    !test(row);

const isKeyword = ({ kind, text }: Token): boolean =>
  kind === 'word' && ['and', 'or', 'not'].includes(text.toLowerCase());
