import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseFilter } from '../../../../src/study/runs-table/filter';
import { valueAt, type Column, type Row, type Value } from '../../../../src/study/runs-table/table';
import { COLUMNS, someRows } from './rows';

function passes(filter: string, rows: readonly Row[], columns: readonly Column[] = COLUMNS): string[] {
  const found = parseFilter(filter, columns);
  if ('problem' in found) throw new Error(`${filter}: ${found.problem.message}`);
  return rows.filter(found.test).map((r) => r.folder);
}

function problem(filter: string, columns: readonly Column[] = COLUMNS): string {
  const found = parseFilter(filter, columns);
  if ('test' in found) throw new Error(`${filter} is accepted`);
  const { message, at, length } = found.problem;
  return `${filter.slice(0, at)}[${filter.slice(at, at + length)}]${filter.slice(at + length)} ${message}`;
}

/** A filter as a tree, evaluated without the product's code. */
type Tree = Combined | { op: 'not'; of: Tree } | Comparison;
interface Combined {
  op: 'and' | 'or';
  of: [Tree, Tree];
}
interface Comparison {
  op: '<' | '<=' | '>' | '>=' | '=' | '!=';
  at: number;
  value: number;
}
const isCombined = (tree: Tree): tree is Combined => tree.op === 'and' || tree.op === 'or';

const NUMBERS = COLUMNS.flatMap((c, at) => (c.type === 'number' ? [at] : []));
const trees: fc.Arbitrary<Tree> = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.record({
      op: fc.constantFrom('<', '<=', '>', '>=', '=', '!='),
      at: fc.constantFrom(...NUMBERS),
      value: fc.constantFrom(-1, 0, 0.5, 0.9, 2, 7, 1e-5),
    }) as fc.Arbitrary<Tree>,
    fc.record({
      op: fc.constantFrom('and', 'or'),
      of: fc.tuple(tie('tree'), tie('tree')),
    }) as fc.Arbitrary<Tree>,
    fc.record({ op: fc.constant('not'), of: tie('tree') }) as fc.Arbitrary<Tree>,
  ),
})).tree;

/** With parentheses only where precedence needs them. */
function written(tree: Tree, within = 0): string {
  if (tree.op === 'not') return `NOT ${written(tree.of, 3)}`;
  if (isCombined(tree)) {
    const level = tree.op === 'or' ? 1 : 2;
    const text = tree.of.map((t) => written(t, level)).join(` ${tree.op} `);
    return level < within ? `(${text})` : text;
  }
  const { key } = COLUMNS[tree.at];
  return `${tree.value === 0 ? key.toUpperCase() : key.split('.').at(-1)}${tree.op} ${tree.value}`;
}

function holds(tree: Tree, row: Row): boolean {
  if (tree.op === 'not') return !holds(tree.of, row);
  if (isCombined(tree)) return tree.of[tree.op === 'and' ? 'every' : 'some']((t) => holds(t, row));
  const { op, at, value } = tree;
  const cell = valueAt(COLUMNS, row, at) as number | null;
  if (cell === null) return op === '!=';
  return {
    '<': cell < value,
    '<=': cell <= value,
    '>': cell > value,
    '>=': cell >= value,
    '=': cell === value,
    '!=': cell !== value,
  }[op];
}

describe('a filter', () => {
  it('keeps the rows that its tree of comparisons keeps', () => {
    fc.assert(
      fc.property(trees, someRows, (tree, rows) => {
        expect(passes(written(tree), rows)).toEqual(rows.filter((r) => holds(tree, r)).map((r) => r.folder));
      }),
    );
  });

  it('either accepts a text or names a place in it', () => {
    const parts = [
      'accuracy',
      'rank',
      '=',
      '<=',
      '0.9',
      'and',
      'or',
      'not',
      '(',
      ')',
      '"a b"',
      "'",
      'tag',
      'none',
      '!',
      'é',
    ];
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...parts)).map((p) => p.join(' ')),
        (text) => {
          const found = parseFilter(text, COLUMNS);
          if ('test' in found) return;
          const { at, length, message } = found.problem;
          expect(at >= 0 && length >= 0 && at + length <= text.length && /[.?]$/.test(message)).toBe(true);
        },
      ),
    );
  });

  const row = (cells: Partial<Record<string, Value>>): Row => ({
    folder: '/r',
    cells: COLUMNS.filter((c) => c.same === undefined).map((c) => cells[c.key] ?? null),
  });
  const on = (filter: string, cells: Partial<Record<string, Value>>) =>
    passes(filter, [row(cells)]).length === 1;

  it('compares percentages, durations, dates, texts, tags and what is missing', () => {
    for (let i = 0; i <= 1000; i++) expect(on(`accuracy = ${i / 10}%`, { accuracy: i / 1000 })).toBe(true);
    expect(on('duration > 1.5h and duration <= 120min', { duration: 7200 })).toBe(true);
    const noon = { started: new Date(2026, 0, 31, 12).getTime() };
    expect(['=', '<=', '>=', '<', '>', '!='].map((op) => on(`started ${op} 2026-01-31`, noon))).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
    expect(on('started > 2026-01-31T11:59', noon)).toBe(true);
    expect(on('name = "LORA R2"', { name: 'lora r2' })).toBe(true);
    expect(on('name contains ora', { name: 'LoRA' })).toBe(true);
    expect(on('tag = Good and not tag = old', { tags: ['good', 'best'] })).toBe(true);
    expect(on('tags contains oo', { tags: ['good'] })).toBe(true);
    expect(on('star', { star: true }) && !on('star', {}) && on('not star', { star: false })).toBe(true);
    expect(on('accuracy = none', {}) && !on('accuracy != none', {}) && on('accuracy != 0.5', {})).toBe(true);
    expect(on('seed = 7', {})).toBe(true);
    expect(on('', {}) && on('  ', {})).toBe(true);
  });

  it('says what was expected, and where', () => {
    expect(problem('accuracy >')).toBe('accuracy >[] The filter ends too early. Expected a value.');
    expect(problem('accuracy > and rank = 2')).toBe(
      'accuracy > [and] rank = 2 Expected a value instead of "and".',
    );
    expect(problem('acuracy > 1')).toBe(
      '[acuracy] > 1 There is no column "acuracy". Did you mean "accuracy"?',
    );
    expect(problem('accuracy > high')).toBe(
      'accuracy > [high] Expected a number, such as 0.9 or 90% instead of "high".',
    );
    expect(problem('(rank = 2')).toBe('(rank = 2[] The filter ends too early. Expected ")".');
    expect(problem('rank = 2)')).toBe('rank = 2[)] This ")" has no "(".');
    expect(problem('rank = 2 rank = 4')).toBe(
      'rank = 2 [rank] = 4 Expected "and", "or" or the end of the filter instead of "rank".',
    );
    expect(problem('rank 2')).toBe('rank [2] Expected =, !=, <, <=, >, >= or contains instead of "2".');
    expect(problem('name = "a')).toBe('name = ["a] This quotation mark is not closed.');
    expect(problem('started > soon')).toContain('Expected a date, such as 2026-01-31');
    expect(problem('started > 2026-02-31')).toContain('Expected a date');
    expect(problem('duration > 5 min')).toContain('[min]');
    expect(problem('tag < a')).toContain('Expected =, != or contains');
    expect(problem('!star')).toContain('[!]star "!" has no meaning here.');
    expect(problem('('.repeat(10_000))).toContain('nested too deeply');
  });

  it('asks for the whole name if a short one is ambiguous, and knows names of inherited members', () => {
    const two = [...COLUMNS, { ...COLUMNS[6], key: 'other.rank' }];
    expect(problem('rank = 2', two)).toContain(
      '"rank" could be adapter.rank or other.rank; write the whole name.',
    );
    expect(passes('adapter.rank != 2', [row({ 'adapter.rank': 4 })], two)).toEqual(['/r']);
    expect(problem('constructor = 1')).toContain('There is no column "constructor".');
  });
});
