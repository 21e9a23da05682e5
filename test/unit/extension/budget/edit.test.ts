import fc from 'fast-check';
import { parse, type ParseError } from 'jsonc-parser';
import { describe, expect, it } from 'vitest';
import { replacedRange, writeAdapter } from '../../../../src/extension/panels/budget/budget-experiment';
import type { BudgetChoice } from '../../../../src/extension/panels/budget/compute-budget';

const choice = (over: Partial<BudgetChoice> = {}): BudgetChoice => ({
  method: 'aurora',
  rank: 2,
  alpha: 4,
  gridSize: 5,
  splineOrder: 3,
  spline: 'shared',
  frequencies: 1000,
  targetModules: ['query', 'value'],
  loraRank: 8,
  tokens: 1,
  ...over,
});
const written = (text: string, over: Partial<BudgetChoice> = {}, modelPath?: string) =>
  writeAdapter(text, choice(over), modelPath);

describe('writing a choice into an experiment', () => {
  it('changes nothing if the file already has the values, also by default', () => {
    for (const text of ['{}', '{ "adapter": {} }', '{"adapter": {"rank": 2, "method": "aurora"}}'])
      expect(written(text)).toMatchObject({ text, changes: [] });
    const lora = '{"adapter": {"method": "lora"}}';
    expect(written(lora, { method: 'lora', rank: 8, alpha: 16 })).toMatchObject({ text: lora, changes: [] });
  });

  it('keeps comments, order, layout and a trailing comma', () => {
    const text = `{
  // The model of the lab.
  "model": {"path": "m.onnx"}, // never moves
  "adapter": {
    "rank": 2, // as in the paper
    "targetModules": [
      "query", // and
      "value"
    ], /* both */
    "alpha": 4, // last
  },
  "data": { "train": "a.csv" }
}
`;
    const { text: after, changes } = written(text, { rank: 4, gridSize: 7 });
    expect(after).toBe(
      text
        .replace('"rank": 2', '"rank": 4')
        .replace('"alpha": 4, // last', '"alpha": 4, // last\n    "gridSize": 7,'),
    );
    expect(changes).toEqual(['adapter.rank: 2 → 4', 'adapter.gridSize: 5 → 7']);
  });

  it('writes the reading of the spline, and removes it with the method', () => {
    const { text } = written('{ "adapter": {} }', { spline: 'per-pair' });
    expect(parse(text)).toEqual({ adapter: { spline: 'per-pair' } });
    expect(parse(written(text, { method: 'lora', rank: 8, alpha: 16 }).text)).toEqual({
      adapter: { method: 'lora' },
    });
  });

  it('puts the comma before the comment on the previously last line', () => {
    const text = '{\n\t"adapter": {\n\t\t"rank": 2 // two\n\t}\n}';
    expect(written(text, { alpha: 8 }).text).toBe(
      '{\n\t"adapter": {\n\t\t"rank": 2, // two\n\t\t"alpha": 8\n\t}\n}',
    );
  });

  it('adds a missing adapter section', () => {
    expect(
      written('{\n  "model": { "path": "m.onnx" } // m\n}\n', { rank: 4, targetModules: 'all-linear' }).text,
    ).toBe(
      `{
  "model": { "path": "m.onnx" }, // m
  "adapter": {
    "targetModules": "all-linear",
    "rank": 4
  }
}
`,
    );
    expect(written('{ "model": { "path": "m.onnx" } }', { rank: 4 }).text).toContain('"rank": 4');
    expect(written('{\r\n  "name": "x"\r\n}', { rank: 4 }).text).toBe(
      '{\r\n  "name": "x",\r\n  "adapter": {\r\n    "rank": 4\r\n  }\r\n}',
    );
  });

  it('keeps a section on one line', () => {
    expect(written('{ "adapter": { "rank": 2 } }', { alpha: 1.5 }).text).toBe(
      '{ "adapter": { "rank": 2, "alpha": 1.5 } }',
    );
    expect(written('{"adapter":{"rank":2,}}', { alpha: 1.5 }).text).toBe(
      '{"adapter":{"rank":2, "alpha": 1.5}}',
    );
  });

  it('keeps the layout of a list', () => {
    expect(written('{"adapter": {"targetModules": ["query"]}}', { targetModules: ['a', 'b'] }).text).toBe(
      '{"adapter": {"targetModules": ["a", "b"]}}',
    );
    const text = '{\n  "adapter": {\n    "targetModules": [\n      "query"\n    ]\n  }\n}';
    expect(written(text, { targetModules: ['a', 'b'] }).text).toBe(
      text.replace('"query"', '"a",\n      "b"'),
    );
  });

  it('removes settings that the new method does not have, with the comments on their lines', () => {
    const text = `{
  "adapter": {
    "method": "aurora",
    // Wide enough.
    "gridSize": 7, // seven
    "activation": "sigmoid",
    "rank": 8,
    "fixed": false // no F
  }
}
`;
    const { text: after, changes } = written(text, { method: 'lora', rank: 8, alpha: 16 });
    expect(after).toBe(`{
  "adapter": {
    "method": "lora",
    // Wide enough.
    "rank": 8
  }
}
`);
    expect(changes).toEqual([
      'adapter.gridSize: 7 → –',
      'adapter.activation: "sigmoid" → –',
      'adapter.fixed: false → –',
      'adapter.method: "aurora" → "lora"',
    ]);
  });

  it('removes the last property on a line, also before a trailing comma', () => {
    const lora = { method: 'lora', rank: 8, alpha: 16 } as const;
    expect(written('{ "adapter": { "method": "lora", "fixed": true } }', lora).text).toBe(
      '{ "adapter": { "method": "lora" } }',
    );
    expect(written('{ "adapter": { "method": "lora", "fixed": true, } }', lora).text).toBe(
      '{ "adapter": { "method": "lora", } }',
    );
    expect(written('{ "adapter": { "gridSize": 3, "method": "lora" } }', lora).text).toBe(
      '{ "adapter": { "method": "lora" } }',
    );
  });

  it('writes the path of a different model', () => {
    expect(written('{"model": {"path": "a.onnx", "maxLength": 8}}', {}, 'b/c.onnx')).toMatchObject({
      text: '{"model": {"path": "b/c.onnx", "maxLength": 8}}',
      changes: ['model.path: "a.onnx" → "b/c.onnx"'],
    });
  });

  it('rejects text that is not an experiment', () => {
    for (const text of ['', '[]', '{ "adapter": { "rank": ', '{ "a": 1 "b": 2 }', 'null'])
      expect(() => written(text)).toThrow(/not valid JSON/);
  });

  it('replaces a section that is not an object', () => {
    expect(parse(written('{"adapter": 3}', { rank: 4 }).text)).toEqual({ adapter: { rank: 4 } });
  });

  it('always results in a valid file with the choice and every comment on a line that stays', () => {
    const key = fc.constantFrom(
      'rank',
      'alpha',
      'method',
      'gridSize',
      'fixed',
      'useRslora',
      'rankPattern',
      'dropout',
    );
    const values: Record<string, string> = {
      rank: '3',
      alpha: '7',
      method: '"aurora"',
      gridSize: '9',
      fixed: 'false',
      useRslora: 'true',
      rankPattern: '{ "a": 1 }',
      dropout: '0.1',
    };
    const gap = fc.constantFrom(
      '',
      ' ',
      '\n',
      '\n  ',
      ' // c\n',
      ' /* c */ ',
      '\n// c\n  ',
      '\r\n\t',
      '/* a\nb */',
    );
    const properties = fc.uniqueArray(key, { maxLength: 6 }).chain((keys) =>
      fc.array(gap, { minLength: 4 * keys.length + 2, maxLength: 4 * keys.length + 2 }).map((gaps) => {
        const parts = keys.map(
          (k, i) => `${gaps[4 * i]}"${k}"${gaps[4 * i + 1]}:${gaps[4 * i + 2]}${values[k]}${gaps[4 * i + 3]}`,
        );
        return { parts, end: gaps.at(-1)! };
      }),
    );
    fc.assert(
      fc.property(properties, fc.boolean(), fc.boolean(), ({ parts, end }, trailing, toLora) => {
        const body = parts.join(',') + (trailing && parts.length > 0 ? `,${end}` : end);
        const text = `{ "adapter": {${body}} }`;
        const over = toLora ? ({ method: 'lora', rank: 5, alpha: 16 } as const) : { gridSize: 4, rank: 3 };
        const { text: after } = written(text, over);
        const errors: ParseError[] = [];
        const { adapter } = parse(after, errors, { allowTrailingComma: true });
        expect(errors, after).toEqual([]);
        const before = parse(text, [], { allowTrailingComma: true }).adapter;
        expect(adapter.rank ?? (toLora ? 8 : 2)).toBe(over.rank);
        expect(adapter.method ?? 'aurora').toBe(toLora ? 'lora' : 'aurora');
        expect(adapter.rankPattern).toEqual(before.rankPattern);
        expect(adapter.dropout).toBe(before.dropout);
        expect('gridSize' in adapter || 'fixed' in adapter).toBe(toLora ? false : true);
        expect(adapter.useRslora).toBe(toLora ? before.useRslora : undefined);
        // Once written, nothing is left to change.
        expect(written(after, over).changes).toEqual([]);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('the replaced range', () => {
  it('is minimal and results in the new text', () => {
    expect(replacedRange('abcdef', 'abXef')).toEqual({ offset: 2, length: 2, content: 'X' });
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        const { offset, length, content } = replacedRange(a, b);
        expect(a.slice(0, offset) + content + a.slice(offset + length)).toBe(b);
      }),
    );
  });
});
