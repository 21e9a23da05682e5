import { copyFileSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AuroraError } from '../../../../src/base/errors';
import { inNamedOrder } from '../../../../src/data/labels';
import { readRows, type ReadOptions } from '../../../../src/data/table/rows';
import { taggedRows } from '../../../../src/data/table/answer-rows';
import { classNames } from '../../../../src/table/class-names';
import { openParquet } from '../../../../src/table/parquet';
import type { DataRecord } from '../../../../src/table/records';
import { rejection, temporaryFolder } from '../support';
import { quoted, writeParquet } from './duckdb';

const folder = temporaryFolder();
const at = (name: string) => `${folder.path}/${name}`;
const options: ReadOptions = { textColumn: 'text', labelColumn: 'label', onBadRow: 'fail' };
const skipping: ReadOptions = { ...options, onBadRow: 'skip' };

/** The records of a file in the parts in which they are read. */
async function parts(path: string, columns?: string[]): Promise<DataRecord[][]> {
  const table = await openParquet(path);
  const read: DataRecord[][] = [];
  for await (const part of table.records(columns ?? table.columns)) read.push(part);
  return read;
}

/** A column's values in order. */
async function values(path: string, column: string): Promise<unknown[]> {
  const records = (await parts(path, [column])).flat();
  return records.map((r) => ('fields' in r ? r.fields.get(column) : r));
}

/** The value for the hub's key in a file's metadata. */
const features = (of: object) =>
  `kv_metadata {huggingface: ${quoted(JSON.stringify({ info: { features: of } }))}}`;
const CLASSES = { label: { names: ['ham', 'spam', 'ads'], _type: 'ClassLabel' } };

describe('the values of a Parquet file', () => {
  it.each<[string, unknown]>([
    [`'é"x\t🙂'`, 'é"x\t🙂'],
    [`''`, ''],
    [`null::varchar`, null],
    ['true', true],
    ['-2::tinyint', -2],
    ['200::utinyint', 200],
    ['-30000::smallint', -30000],
    ['4000000000::uinteger', 4000000000],
    ['-5::bigint', -5],
    ['9007199254740991::bigint', 9007199254740991],
    ['9007199254740993::bigint', '9007199254740993'],
    ['-9007199254740993::bigint', '-9007199254740993'],
    ['18446744073709551615::ubigint', '18446744073709551615'],
    ['1.5::float', 1.5],
    ['0.1::double', 0.1],
    [`'nan'::double`, NaN],
    ['12.34::decimal(6,2)', 12.34],
    ['-0.01::decimal(18,2)', -0.01],
    ['1234567890123.25::decimal(30,2)', 1234567890123.25],
    [`date '2031-02-03'`, '2031-02-03'],
    [`date '1901-12-31'`, '1901-12-31'],
    [`timestamp '294000-01-01'`, undefined],
    [`timestamp '2031-02-03 04:05:06.789'`, '2031-02-03T04:05:06.789Z'],
    [`timestamptz '2031-02-03 04:05:06+02'`, '2031-02-03T02:05:06.000Z'],
    [`timestamp_ns '2031-02-03 04:05:06.789123456'`, '2031-02-03T04:05:06.789Z'],
    [`timestamp_ms '2031-02-03 04:05:06.789'`, '2031-02-03T04:05:06.789Z'],
    [`time '04:05:06.789123'`, '04:05:06.789'],
    [`timetz '04:05:06+02'`, '02:05:06.000'],
    [`[time '23:59:59.9', null]`, ['23:59:59.900', null]],
    [`{'a': time '01:02:03', 'n': 5, 'b': [{'c': time '10:00:00'}]}`, { a: '01:02:03.000', n: 5, b: [{ c: '10:00:00.000' }] }], // prettier-ignore
    [`map {'k': time '05:00:00'}`, { k: '05:00:00.000' }],
    [`uuid '00112233-4455-6677-8899-aabbccddeeff'`, '00112233-4455-6677-8899-aabbccddeeff'],
    [`'\\xFF\\xD8\\x00'::blob`, Uint8Array.of(255, 216, 0)],
    [`'text'::blob`, new TextEncoder().encode('text')],
    [`'sad'::enum('ok', 'sad')`, 'sad'],
    [`'{"a": [1]}'::json`, { a: [1] }],
    [`['a', null, 'b']`, ['a', null, 'b']],
    ['[]::bigint[]', []],
    ['[1, 9007199254740993]::bigint[]', [1, '9007199254740993']],
    [`[['a'], [], null, ['b', 'c']]`, [['a'], [], null, ['b', 'c']]],
    [`{'a': 1::bigint, 'b': {'c': date '2031-02-03'}}`, { a: 1, b: { c: '2031-02-03' } }],
    [`[{'a': 1, 'b': 'x'}, null]`, [{ a: 1, b: 'x' }, null]],
    [`map {'k': 1}`, { k: 1 }],
    [
      `{'bytes': '\\x89PNG'::blob, 'path': 'a.png'}`,
      { bytes: Uint8Array.of(0x89, 0x50, 0x4e, 0x47), path: 'a.png' },
    ],
    [`{'bytes': null::blob, 'path': null::varchar}`, { bytes: null, path: null }],
  ])('are those that DuckDB wrote: %s', async (sql, value) => {
    const path = at('value.parquet');
    await writeParquet(path, `select ${sql} as v`);
    const [read] = await values(path, 'v');
    expect(read).toEqual(value);
    if (value instanceof Uint8Array) expect(read).toBeInstanceOf(Uint8Array);
  });

  const query = `select i::bigint as id, case when i % 7 = 0 then null else 'text ' || (i % 50) end as text,
    i % 3 as label, [i, i + 1] as list, {'a': i / 4, 'b': [i::varchar]} as nested from range(10000) t(i)`;
  const expected = Array.from({ length: 10_000 }, (_, i) => ({
    id: i,
    text: i % 7 === 0 ? null : `text ${i % 50}`,
    label: i % 3,
    list: [i, i + 1],
    nested: { a: i / 4, b: [String(i)] },
  }));

  it.each([
    ['uncompressed'],
    ['snappy'],
    ['gzip'],
    ['zstd'],
    ['lz4_raw'],
    ['brotli'],
    ['snappy', 'parquet_version v2'],
    ['zstd', 'parquet_version v2', 'row_group_size 2048'],
    ['snappy', 'dictionary_size_limit 1', 'row_group_size 2048'],
  ])('are the same however they are stored: %s %s %s', async (compression, ...more) => {
    const path = at('stored.parquet');
    await writeParquet(path, query, `compression ${compression}`, ...more.filter(Boolean));
    const read = (await parts(path)).flat();
    expect(read.map((r) => r.line)).toEqual(expected.map((_, i) => i + 1));
    const records = read.map((r) => 'fields' in r && Object.fromEntries(r.fields as Map<string, unknown>));
    expect(records).toEqual(expected);
  });

  it('are read part by part, and only those that are wanted', async () => {
    const path = at('parts.parquet');
    await writeParquet(path, query, 'row_group_size 2048');
    const read = await parts(path, ['text', 'label']);
    expect(read.map((part) => part.length)).toEqual([2048, 2048, 2048, 2048, 1808]);
    expect(read[1][0]).toEqual({ line: 2049, fields: new Map<string, unknown>([['text', 'text 48'], ['label', 2]]) }); // prettier-ignore
  });

  it('have any names, those of inherited members and with dots too', async () => {
    const path = at('names.parquet');
    const names = ['__proto__', 'constructor', 'a.b', 'a', ' ', 'toString'];
    await writeParquet(path, `select ${names.map((name, i) => `'${i}' as "${name}"`).join(', ')}`);
    expect((await openParquet(path)).columns).toEqual(names);
    for (const [i, name] of names.entries()) expect(await values(path, name)).toEqual([String(i)]);
    expect(({} as Record<string, unknown>).constructor).toBe(Object);
  });

  it('can be none', async () => {
    const path = at('none.parquet');
    await writeParquet(path, `select 'a' as text, 'x' as label where false`);
    expect(await parts(path)).toEqual([]);
    expect(await rejection('emptyData', readRows(path, options))).toContain('none.parquet has no rows.');
  });
});

describe('the rows of a Parquet file', () => {
  const write = async (name: string, rows: string, ...more: string[]) => {
    await writeParquet(at(name), `select * from (values ${rows}) t(text, label)`, ...more);
    return at(name);
  };

  it('have texts and labels, with the number of the row', async () => {
    const path = await write('rows.parquet', `('one', 1), ('two', 0), (null, 1), ('four', 1)`);
    expect(await readRows(path, skipping)).toEqual({
      rows: [
        { text: 'one', label: '1', line: 1 },
        { text: 'two', label: '0', line: 2 },
        { text: 'four', label: '1', line: 4 },
      ],
      skipped: [{ line: 3, reason: 'no "text"' }],
    });
    expect(await rejection('data', readRows(path, options))).toContain(
      'rows.parquet, row 3: no "text". | Correct the row, or set data.onBadRow to "skip"',
    );
    const none = await write('nulls.parquet', `(null, 1)`);
    expect(await rejection('emptyData', readRows(none, skipping))).toContain(
      'its only row was skipped, row 1: no "text"',
    );
    expect(await rejection('labels', readRows(path, { ...options, labelColumn: 'class' }))).toContain(
      'rows.parquet has no column "class"; it has "text", "label". | Set data.labelColumn to one of them.',
    );
  });

  it('cannot be bytes', async () => {
    const path = await write('bytes.parquet', `('a'::blob, 'x')`);
    expect(await rejection('data', readRows(path, options))).toContain(
      'bytes.parquet, row 1: "text" is binary, not a string, number or boolean.',
    );
  });

  it('have the names of their labels, if the file has them', async () => {
    const path = await write('named.parquet', `('a', 1), ('b', 0), ('c', 1)`, features(CLASSES));
    const { rows, labelNames } = await readRows(path, options);
    expect(rows.map((r) => r.label)).toEqual(['spam', 'ham', 'spam']);
    expect(labelNames).toEqual(['ham', 'spam', 'ads']);
    const other = await write(
      'other.parquet',
      `('a', 1)`,
      features({ text: { dtype: 'string', _type: 'Value' } }),
    );
    expect((await readRows(other, options)).rows[0].label).toBe('1');
  });

  it('cannot be used where the label is hidden or has no name', async () => {
    const path = await write('hidden.parquet', `('a', 1), ('b', -1), ('c', 3)`, features(CLASSES));
    expect((await readRows(path, skipping)).skipped).toEqual([
      { line: 2, reason: '"label" is -1: the label is not published' },
      { line: 3, reason: '"label" is 3, but the file names only 3 labels, from 0' },
    ]);
  });

  it('have tags by name, in lists', async () => {
    const names = ['O', 'B-PER', 'I-PER'];
    const ner = { feature: { names, _type: 'ClassLabel' }, length: -1, _type: 'Sequence' };
    const tagged = { textColumn: 'tokens', labelColumn: 'ner_tags', onBadRow: 'skip' } as const;
    for (const ner_tags of [ner, { ...ner, _type: 'List' }, [ner.feature]]) {
      await writeParquet(
        at('ner.parquet'),
        `select * from (values (['Ann', 'Lee', 'ran'], [1, 2, 0]), (['a'], [-1])) t(tokens, ner_tags)`,
        features({ ner_tags }),
      );
      const { rows, skipped, labelNames } = await readRows(at('ner.parquet'), tagged, taggedRows);
      expect(rows).toEqual([
        {
          words: ['Ann', 'Lee', 'ran'],
          tags: ['B-PER', 'I-PER', 'O'],
          text: 'Ann Lee ran',
          label: 'B-PER I-PER O',
          line: 1,
        },
      ]);
      expect(skipped).toEqual([{ line: 2, reason: '"ner_tags" is -1: the label is not published' }]);
      expect(labelNames).toEqual(names);
    }
  });
});

describe('the names of labels', () => {
  it('are found in the metadata of the hub, whatever else is there', () => {
    const of = (value: unknown) => Object.fromEntries(classNames(JSON.stringify(value)));
    expect(of({ info: { features: { ...CLASSES, text: { _type: 'Value' } } } })).toEqual({
      label: ['ham', 'spam', 'ads'],
    });
    for (const wrong of [null, 1, [], {}, { info: 1 }, { info: { features: [CLASSES.label] } }]) expect(of(wrong)).toEqual({}); // prettier-ignore
    const bad = { a: { _type: 'ClassLabel' }, b: { _type: 'ClassLabel', names: [1] }, c: [], d: null };
    expect(of({ info: { features: bad } })).toEqual({});
    expect(classNames('{').size + classNames(undefined).size).toBe(0);
    const hostile = '{"info":{"features":{"__proto__":{"_type":"ClassLabel","names":["a"]}}}}';
    expect([...classNames(hostile)]).toEqual([['__proto__', ['a']]]);
  });

  it('order those of the training rows', () => {
    const names = ['entailment', 'neutral', 'contradiction'];
    expect(inNamedOrder(['contradiction', 'entailment'], names)).toEqual(['entailment', 'contradiction']);
    expect(inNamedOrder(['b', 'a'], names)).toEqual(['b', 'a']);
    expect(inNamedOrder(['a', 'b'])).toEqual(['a', 'b']);
  });
});

describe('a Parquet file that cannot be read', () => {
  const good = at('good.parquet');
  const made = writeParquet(
    good,
    `select 'text ' || i as text, i % 2 as label from range(500) t(i)`,
    'compression zstd',
  );
  const failing = (path: string) => rejection('data', readRows(path, options));

  it('is a data error with its name and the next step', async () => {
    await made;
    const bytes = readFileSync(good);
    const write = (name: string, content: string | Uint8Array) => folder.write(name, content);
    expect(await failing(write('cut.parquet', bytes.subarray(0, bytes.length >> 1)))).toContain(
      'cut.parquet does not end as a Parquet file does: it is cut off. | Copy or download it again.',
    );
    const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n';
    expect(await failing(write('pointer.parquet', pointer))).toContain(
      'pointer.parquet is not a Parquet file. | If it is a pointer of Git LFS',
    );
    expect(await failing(write('short.parquet', 'PAR1PAR1'))).toContain(
      'short.parquet is not a Parquet file.',
    );
    const footer = Buffer.from(bytes);
    footer.write('PARE', footer.length - 4, 'latin1');
    expect(await failing(write('encrypted.parquet', footer))).toContain(
      'encrypted.parquet is encrypted. | Write it again without encryption.',
    );
    const length = Buffer.from(bytes);
    length.writeUInt32LE(1e9, length.length - 8);
    expect(await failing(write('length.parquet', length))).toContain(
      'length.parquet cannot be read: it is damaged, or written in a way that is not known here (parquet metadata length 1000000000 exceeds',
    );
    expect(await failing(write('z.parquet.gz', gzipSync(bytes)))).toContain(
      'are not read from .gz. | Decompress',
    );
    expect(await rejection('emptyData', readRows(write('empty.parquet', ''), options))).toContain('is empty');
    expect(await failing(at('missing.parquet'))).toContain(
      'missing.parquet does not exist. | Check data.train',
    );
    mkdirSync(at('folder.parquet'), { recursive: true });
    expect(await failing(at('folder.parquet'))).toContain('folder.parquet is a folder, not a file.');
  });

  it('names the column and its compression, if that is unknown', async () => {
    await made;
    const bytes = readFileSync(good);
    // The codec of each column chunk: field 4, an i32 after the list of the path (Thrift's compact protocol).
    const zstd = Buffer.from([0x15, 0x0c]);
    const path = folder.write('lzo.parquet', bytes);
    const footer = bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8);
    for (let i = bytes.indexOf(zstd, footer); i >= 0; i = bytes.indexOf(zstd, i + 1)) bytes[i + 1] = 0x06;
    writeFileSync(path, bytes);
    expect(await failing(path)).toContain(
      'lzo.parquet: the column "text" is compressed with LZO, which cannot be read. | Rewrite the file with Snappy or Zstandard compression.',
    );
  });

  it('names the column that has intervals, if that is one it needs', async () => {
    const path = at('intervals.parquet');
    await writeParquet(path, `select 'a' as text, 'x' as label, [interval '3 days'] as took`);
    expect((await readRows(path, options)).rows).toHaveLength(1);
    expect(await rejection('data', readRows(path, { ...options, labelColumn: 'took' }))).toContain(
      'intervals.parquet: the column "took" has intervals, which cannot be read. | Name another column',
    );
  });

  it('may become shorter while it is read', async () => {
    await made;
    copyFileSync(good, at('shrinking.parquet'));
    const table = await openParquet(at('shrinking.parquet'));
    truncateSync(at('shrinking.parquet'), statSync(good).size >> 2);
    const read = async () => {
      for await (const part of table.records(['text'])) expect(part).toHaveLength(500);
    };
    await expect(read()).rejects.toMatchObject({ kind: 'data' });
  });

  it('is never anything but a data error, wherever its bytes are wrong', async () => {
    await made;
    const bytes = readFileSync(good);
    const change = fc.record({
      at: fc.nat(bytes.length - 9),
      by: fc.integer({ min: 1, max: 255 }),
      length: fc.integer({ min: 1, max: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
        const copy = Buffer.from(bytes);
        for (const { at: from, by, length } of changes)
          for (let i = from; i < from + length; i++) copy[i] ^= by;
        await readRows(folder.write('damaged.parquet', copy), skipping).catch((e: unknown) => {
          if (!(e instanceof AuroraError)) throw e;
        });
      }),
      { seed: 4, numRuns: 200 },
    );
  });
});
