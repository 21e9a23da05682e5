import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkInputs, documentsInput, integers, lengthOf, makeInputs } from '../../../src/data/batch';
import { makeDataset, textExample, type TextDataset } from '../../../src/data/dataset';
import { epochOrder, evaluationOrder } from '../../../src/data/row-order';
import type { Row } from '../../../src/data/table/rows';
import { loadTokenizer, type Tokenizer } from '../../../src/data/text/tokenizer';
import { DType } from '../../../src/graph/dtype';
import type { ValueInfo } from '../../../src/graph/model';
import { failure, temporaryFolder } from './support';

const fixture = join(import.meta.dirname, '../../fixtures/data/unigram/tokenizer.json');
const unigram = loadTokenizer(fixture);
const folder = temporaryFolder();
const options = { path: 'f.csv', padId: unigram.padId, onBadRow: 'fail' as const };

const input = (name: string, dtype: number = DType.int64, shape?: ValueInfo['shape']): ValueInfo => ({
  name,
  dtype,
  shape,
});

/** A data set of texts with these lengths, with an id that identifies each example. */
const ofLengths = (lengths: number[]): TextDataset => ({
  examples: lengths.map((n, i) => ({
    size: n,
    ids: new Int32Array(n).fill(100 + i),
    row: i,
  })),
  truncatedCount: 0,
  padId: 7,
  skipped: [],
});

describe('makeDataset', () => {
  const row = (text: string, line: number) => ({ text, label: 'x', line });
  /** As the kinds of task read texts. */
  const reading =
    (tokenizer: Tokenizer) =>
    ({ text }: Row, index: number) =>
      textExample(tokenizer.encode(text, 4), index);

  it('assigns row numbers and counts truncated texts', async () => {
    const rows = [row('hello', 2), row('hello world hello world', 3)];
    expect(await makeDataset(rows, options, reading(unigram))).toEqual({
      examples: [
        { size: 2, ids: Int32Array.of(3, 11), typeIds: Int32Array.of(0, 0), row: 0 },
        {
          size: 4,
          ids: Int32Array.of(3, 7, 3, 11),
          typeIds: Int32Array.of(0, 0, 0, 0),
          row: 1,
          truncated: true,
        },
      ],
      truncatedCount: 1,
      padId: 12,
      skipped: [],
    });
  });

  it('reports how many rows it has encoded, serves timers between them, and gives up if asked to', async () => {
    const rows = Array.from({ length: 4 }, (_, i) => row('hello', i + 2));
    let served = 0;
    const timer = setInterval(() => served++, 1);
    const exampleOf = (r: Row, index: number) => {
      for (const end = performance.now() + 150; performance.now() < end;);
      return reading(unigram)(r, index);
    };
    const reported = new Set<number>();
    const watch = ({ done, of }: { done: number; of: number }) => void (of === 4 && reported.add(done));
    await makeDataset(rows, { ...options, watch }, exampleOf);
    clearInterval(timer);
    expect([...reported]).toEqual([0, 1, 2, 3, 4]);
    expect(served).toBeGreaterThan(0);
    const stop = ({ done }: { done: number }) => {
      if (done > 0) throw new Error('stopped');
    };
    await expect(makeDataset(rows, { ...options, watch: stop }, exampleOf)).rejects.toThrow('stopped');
  });

  it('reports a text that yields no tokens', async () => {
    const json = JSON.parse(readFileSync(fixture, 'utf8')) as object;
    const stripped = {
      ...json,
      post_processor: null,
      normalizer: { type: 'Replace', pattern: { Regex: 'z+' }, content: '' },
    };
    const tokenizer = loadTokenizer(folder.write('tokenizer.json', JSON.stringify(stripped)));
    const exampleOf = reading(tokenizer);
    const rows = [row('zzz', 5), row('hello', 6)];
    await expect(makeDataset(rows, options, exampleOf)).rejects.toMatchObject({
      kind: 'data',
      message: expect.stringContaining('f.csv:5: the tokenizer produces no tokens for the text'),
    });
    const { examples, skipped } = await makeDataset(rows, { ...options, onBadRow: 'skip' }, exampleOf);
    expect(examples.map((e) => e.row)).toEqual([1]);
    expect(skipped.map((s) => s.line)).toEqual([5]);
    await expect(
      makeDataset(rows.slice(0, 1), { ...options, onBadRow: 'skip' }, exampleOf),
    ).rejects.toMatchObject({
      kind: 'emptyData',
      message: expect.stringContaining('its only row was skipped'),
    });
  });
});

describe('epochOrder', () => {
  const lengths = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 300 });
  const anyOptions = fc.record({
    seed: fc.nat(),
    epoch: fc.nat(20),
    batchSize: fc.integer({ min: 1, max: 9 }),
    groupByLength: fc.boolean(),
  });

  it('contains every example once, in full batches except one, and is reproducible', () => {
    fc.assert(
      fc.property(lengths, anyOptions, (n, given) => {
        const order = epochOrder(ofLengths(n), given);
        expect(order.flat().toSorted((a, b) => a - b)).toEqual(n.map((_, i) => i));
        expect(order.filter((b) => b.length !== given.batchSize).length).toBeLessThanOrEqual(1);
        expect(order.every((b) => b.length > 0 && b.length <= given.batchSize)).toBe(true);
        expect(epochOrder(ofLengths(n), given)).toEqual(order);
      }),
      { seed: 1 },
    );
  });

  it.each([true, false])('differs between epochs and seeds, grouped by length: %s', (groupByLength) => {
    const data = ofLengths(Array.from({ length: 200 }, (_, i) => 1 + ((i * 7) % 40)));
    const order = (seed: number, epoch: number) =>
      epochOrder(data, { seed, epoch, batchSize: 4, groupByLength });
    expect(order(1, 0)).not.toEqual(order(1, 1));
    expect(order(1, 0)).not.toEqual(order(2, 0));
  });

  it('reduces padding when grouping by length, without sorting the batches by length', () => {
    const n = Array.from({ length: 2000 }, (_, i) => 1 + ((i * 37) % 101));
    const padded = (order: number[][]): number =>
      order.reduce((sum, b) => sum + b.length * Math.max(...b.map((i) => n[i]!)), 0);
    const common = { seed: 3, epoch: 0, batchSize: 8 };
    const total = n.reduce((a, b) => a + b, 0);
    const grouped = epochOrder(ofLengths(n), { ...common, groupByLength: true });
    expect(padded(grouped) / total).toBeLessThan(1.1);
    expect(padded(epochOrder(ofLengths(n), { ...common, groupByLength: false })) / total).toBeGreaterThan(
      1.5,
    );
    const longest = grouped.map((b) => Math.max(...b.map((i) => n[i]!)));
    const falls = longest.slice(1).filter((l, i) => l < longest[i]!).length;
    expect(Math.abs(falls / longest.length - 0.5)).toBeLessThan(0.1);
  });

  it('puts the longest examples first for evaluation, each of them once', () => {
    const order = evaluationOrder(ofLengths([1, 5, 3, 9, 2]), 2);
    expect(order).toEqual([[3, 1], [2, 4], [0]]);
  });
});

describe('makeInputs', () => {
  const data: TextDataset = {
    ...ofLengths([2, 3, 1]),
    examples: [
      { size: 2, ids: Int32Array.of(5, 6), typeIds: Int32Array.of(0, 1), row: 0 },
      { size: 3, ids: Int32Array.of(8, 9, 10), row: 1 },
      { size: 1, ids: Int32Array.of(4), row: 2 },
    ],
  };

  it('pads to the longest example, in the type that each input declares', () => {
    const inputs = makeInputs(
      data,
      [1, 0],
      [
        input('input_ids'),
        input('attention_mask', DType.int32),
        input('token_type_ids', 0),
        input('position_ids'),
      ],
    );
    expect(inputs).toEqual({
      input_ids: { dtype: DType.int64, dims: [2, 3], data: BigInt64Array.of(8n, 9n, 10n, 5n, 6n, 7n) },
      attention_mask: { dtype: DType.int32, dims: [2, 3], data: Int32Array.of(1, 1, 1, 1, 1, 0) },
      token_type_ids: { dtype: DType.int64, dims: [2, 3], data: BigInt64Array.of(0n, 0n, 0n, 0n, 1n, 0n) },
      position_ids: { dtype: DType.int64, dims: [2, 3], data: BigInt64Array.of(0n, 1n, 2n, 0n, 1n, 2n) },
    });
  });

  it('counts the positions of packed texts from where each begins, and pads to the last', () => {
    const begins = Int32Array.of(0, 0, 2, 2, 2);
    const [row] = ofLengths([5]).examples;
    const dataset = {
      ...ofLengths([]),
      examples: [{ ...row!, begins, textRows: [0, 1] }, ...ofLengths([3]).examples],
    };
    const made = makeInputs(dataset, [0, 1], [input('position_ids'), documentsInput], 6);
    expect(made).toEqual({
      position_ids: {
        dtype: DType.int64,
        dims: [2, 6],
        data: BigInt64Array.of(0n, 1n, 0n, 1n, 2n, 3n, 0n, 1n, 2n, 3n, 4n, 5n),
      },
      [documentsInput.name]: {
        dtype: DType.float,
        dims: [2, 6],
        data: Float32Array.of(0, 0, 2, 2, 2, 2, 0, 0, 0, 0, 0, 0),
      },
    });
  });

  it('pads to a given length, as for a micro-batch of a larger batch', () => {
    expect(lengthOf(data, [0, 2])).toBe(2);
    expect(makeInputs(data, [0, 2], [input('input_ids', DType.int32)], 4)).toEqual({
      input_ids: { dtype: DType.int32, dims: [2, 4], data: Int32Array.of(5, 6, 7, 7, 4, 7, 7, 7) },
    });
  });

  it('makes integers of either width', () => {
    const values = Int32Array.of(-100, 3);
    expect(integers(DType.int32, [2], values)).toEqual({ dtype: DType.int32, dims: [2], data: values });
    expect(integers(DType.int64, [2], values)).toEqual({
      dtype: DType.int64,
      dims: [2],
      data: BigInt64Array.of(-100n, 3n),
    });
  });

  it('contains each example where the mask is one and padding elsewhere', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 6 }), (lengths) => {
        const many = ofLengths(lengths);
        const inputs = makeInputs(
          many,
          [...lengths.keys()],
          [input('input_ids', DType.int32), input('attention_mask', DType.int32)],
        );
        const width = Math.max(...lengths);
        expect(inputs.input_ids!.dims).toEqual([lengths.length, width]);
        [...many.examples].forEach(({ ids }, row) => {
          const of = (name: string) => [...inputs[name]!.data].slice(row * width, (row + 1) * width);
          const mask = of('attention_mask');
          expect(of('input_ids').filter((_, i) => mask[i] === 1)).toEqual([...ids]);
          expect(of('input_ids').filter((_, i) => mask[i] === 0)).toEqual(Array(width - ids.length).fill(7));
        });
      }),
      { seed: 1 },
    );
  });
});

describe('checkInputs', () => {
  it('accepts inputs that texts can fill and names those that they cannot', () => {
    checkInputs(
      [input('input_ids', DType.int64, ['batch', undefined]), input('attention_mask', 0)],
      'm.onnx',
    );
    const unknown = [input('input_ids'), input('pixel_values'), input('past_key_values.0.key')];
    expect(failure('model', () => checkInputs(unknown, 'm.onnx'))).toContain(
      'm.onnx has inputs that texts cannot fill: pixel_values, past_key_values.0.key.',
    );
    expect(failure('model', () => checkInputs([input('input_ids', DType.float)], 'm.onnx'))).toContain(
      'the input input_ids is float, not int64 or int32',
    );
    expect(
      failure('model', () => checkInputs([input('input_ids', DType.int64, [1, 128])], 'm.onnx')),
    ).toContain('the shape [1, 128]');
  });
});
