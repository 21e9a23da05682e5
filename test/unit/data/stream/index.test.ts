import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { audited, findDuplicates } from '../../../../src/data/audit';
import { IndexCache } from '../../../../src/data/stream/index-cache';
import { openStreamed, type StreamOptions } from '../../../../src/data/stream/open-streamed';
import { streamedDataset } from '../../../../src/data/stream/streamed-examples';
import { splitRows } from '../../../../src/data/split';
import { withKnownLabels } from '../../../../src/data/labels';
import { labeledRows, readRows, type ReadOptions, type Row } from '../../../../src/data/table/rows';
import { rejection, temporaryFolder } from '../support';

const folder = temporaryFolder();
const options: ReadOptions = { textColumn: 'text', labelColumn: 'label', onBadRow: 'fail' };
const jsonl = (...rows: [text: string, label: string][]) =>
  rows.map(([text, label]) => `${JSON.stringify({ text, label })}\n`).join('');
/** Older than any two writes that could look like one. */
async function settled(path: string): Promise<void> {
  utimesSync(path, new Date(Date.now() - 60_000), new Date(Date.now() - 60_000));
  await wait(100);
}

let measured: string[] = [];
let cacheFolder = '';
beforeEach(() => {
  measured = [];
  cacheFolder = mkdtempSync(join(tmpdir(), 'aurora-index-'));
});

/** A row has as many tokens as words; "…" cuts it. */
const open = (path: string, more: Partial<StreamOptions<Row>> = {}) =>
  openStreamed<Row>(path, {
    format: labeledRows,
    options,
    reads: { maxLength: 4 },
    measure({ text }) {
      measured.push(text);
      const words = text.split(' ').filter((w) => w !== '-');
      return { size: words.length, ids: words, ...(text.includes('…') && { truncated: true as const }) };
    },
    cache: new IndexCache(cacheFolder),
    pieceSize: 32,
    ...more,
  });
const cached = () => readdirSync(cacheFolder);

describe('the rows of a large file', () => {
  const content = jsonl(['a b', 'x'], ['c', 'y'], ['a  b', 'y'], ['d e …', 'x'], ['f', 'x'], ['f', 'x']);

  it('are those that are read into memory, with their labels, lines and duplicates', async () => {
    const path = folder.write('same.jsonl', `\n${content}`);
    const { rows } = await open(path);
    const memory = (await readRows(path, options)).rows;
    expect([...rows]).toEqual(memory);
    expect([...rows.marked]).toEqual(memory.map((row) => ({ ...row, text: '' })));
    expect(memory.map((_, i) => rows.lineOf(i))).toEqual(memory.map((r) => r.line));
    const halves = <L extends { pick(places: number[]): L }>(list: L) => [
      list.pick([0, 1, 4]),
      list.pick([2, 5]),
    ];
    const [train, validation] = halves(rows).map((r) => audited(r));
    const [a, b] = [
      memory.filter((_, i) => [0, 1, 4].includes(i)),
      memory.filter((_, i) => [2, 5].includes(i)),
    ];
    expect(findDuplicates(train, validation)).toEqual(findDuplicates(audited(a), audited(b)));
    expect(findDuplicates(audited(rows), audited(rows))).toEqual(
      findDuplicates(audited(memory), audited(memory)),
    );
  });

  it('are split, and left out for their labels, as those in memory', async () => {
    const path = folder.write('split.jsonl', content);
    const { rows, ...read } = await open(path);
    const memory = await readRows(path, options);
    const sides = splitRows(path, rows, 0.4, 3);
    const expected = splitRows(path, memory.rows, 0.4, 3);
    expect([[...sides.train], [...sides.validation]]).toEqual([expected.train, expected.validation]);
    const known = withKnownLabels(path, { rows, ...read }, ['x'], 'skip');
    const inMemory = withKnownLabels(path, memory, ['x'], 'skip');
    expect([[...known.rows], known.skipped]).toEqual([inMemory.rows, inMemory.skipped]);
  });

  it('become examples whose sizes are known without reading them', async () => {
    const path = folder.write('examples.jsonl', content + jsonl(['-', 'y']));
    const { rows } = await open(path);
    const exampleOf = ({ text }: Row, row: number) => {
      const ids = Int32Array.from(text.split(' '), (w) => w.length);
      return { size: ids.length, ids, row };
    };
    const dataset = streamedDataset(rows.pick([5, 3, 6]), { padId: 0, onBadRow: 'skip' }, { exampleOf });
    expect(dataset).toMatchObject({
      truncatedCount: 1,
      skipped: [{ line: 7, reason: expect.stringContaining('no tokens') }],
    });
    expect(Array.from(dataset.examples.sizes!)).toEqual([1, 3]);
    expect([...dataset.examples].map((e) => [e.row, ...e.ids])).toEqual([
      [0, 1],
      [1, 1, 1, 1],
    ]);
    const failing = () =>
      Promise.resolve().then(() => streamedDataset(rows, { padId: 0, onBadRow: 'fail' }, { exampleOf }));
    expect(await rejection('data', failing())).toContain(
      'examples.jsonl:7: the tokenizer produces no tokens',
    );
  });

  it('may be bad: an error with its place, or skipped, also from the cache', async () => {
    const path = folder.write('bad.jsonl', `${content}{"text":"z"}\n[]\n`);
    await settled(path);
    expect(await rejection('data', open(path))).toContain('bad.jsonl:7: no "label".');
    const skipping = { options: { ...options, onBadRow: 'skip' } } as const;
    for (let i = 0; i < 2; i++)
      expect((await open(path, skipping)).skipped).toEqual([
        { line: 7, reason: 'no "label"' },
        { line: 8, reason: 'not a JSON object' },
      ]);
    expect(await rejection('data', open(path))).toContain('bad.jsonl:7: no "label".');
    const many = folder.write('many.jsonl', `${content}${'{"text":"z"}\n'.repeat(9)}`);
    const text = await rejection('data', open(many));
    expect(text).toContain('many.jsonl:8: no "label".\nThere may be more.');
    const other = { options: { ...options, textColumn: 'texts' } };
    expect(await rejection('data', open(path, other))).toContain(
      'has no column "texts"; it has "text", "label"',
    );
  });

  it('are read with progress, which can give it up', async () => {
    const path = folder.write('progress.jsonl', content);
    const seen: number[] = [];
    await open(path, { watch: ({ done }) => seen.push(done) });
    expect(seen[0]).toBe(0);
    expect(seen.at(-1)).toBe(Buffer.byteLength(content) - 1);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    const stop = () => {
      throw new Error('enough');
    };
    await expect(open(path, { watch: stop })).rejects.toThrow('enough');
  });

  it('that is changed while it is in use is an error where it is read', async () => {
    const path = folder.write('in-use.jsonl', content);
    const { rows } = await open(path);
    expect(rows.at(1)!.text).toBe('c');
    writeFileSync(path, content.replace('"c"', '"z"'));
    expect(rows.at(0)!.text).toBe('a b');
    const read = Promise.resolve().then(() => rows.at(1));
    expect(await rejection('inputs', read)).toContain(
      'in-use.jsonl:2: this row was changed while the file was in use',
    );
    // Another file in its place changes nothing.
    renameSync(folder.write('other.jsonl', jsonl(['other', 'x'])), path);
    expect(rows.at(0)!.text).toBe('a b');
  });
});

describe('the index of a large file', () => {
  /** Above what hashFile reads again each time. */
  const big = jsonl(
    ...Array.from({ length: 60_000 }, (_, i): [string, string] => [
      `text ${i} ${'-'.repeat(50)}`,
      `l${i % 3}`,
    ]),
  );
  const quiet = { pieceSize: 1 << 20 };

  it('is made once for the same content, under any name, and again for other settings', async () => {
    const path = folder.write('once.jsonl', big);
    await settled(path);
    const first = await open(path, quiet);
    expect([measured.length, cached().length]).toEqual([60_000, 1]);
    const copy = folder.write('copy.jsonl', big);
    await settled(copy);
    for (const again of [path, copy]) {
      const { rows, skipped } = await open(again, quiet);
      expect([measured.length, rows.length, skipped]).toEqual([60_000, 60_000, []]);
      expect(rows.at(59_999)).toEqual(first.rows.at(59_999));
      for (const [name, column] of Object.entries(rows.file.index.columns)) {
        const same = first.rows.file.index.columns[name as 'starts'];
        expect(Buffer.compare(new Uint8Array(column.buffer), new Uint8Array(same.buffer))).toBe(0);
      }
    }
    await open(path, { ...quiet, reads: { maxLength: 5 } });
    await open(path, { ...quiet, options: { ...options, textColumn: 'label' } });
    expect([measured.length, cached().length]).toEqual([180_000, 3]);
  });

  it('is made again if the file has changed, even with the same size and time', async () => {
    const path = folder.write('changed.jsonl', big);
    await settled(path);
    await open(path, quiet);
    const { mtime, size } = statSync(path);
    writeFileSync(path, big.replace('text 0 ', 'next 0 '));
    utimesSync(path, mtime, mtime);
    await wait(100);
    expect(statSync(path)).toMatchObject({ size, mtime });
    const { rows } = await open(path, quiet);
    expect(rows.at(0)!.text).toContain('next 0');
    expect([measured.length, cached().length]).toEqual([120_000, 2]);
  });

  it('counts as missing if it is damaged or cut off', async () => {
    const path = folder.write('damaged.jsonl', jsonl(['a b', 'x'], ['c', 'y']));
    await settled(path);
    const { rows: whole } = await open(path);
    const [name] = cached();
    const file = join(cacheFolder, name);
    const bytes = readFileSync(file);
    const damages = [
      ...Array.from({ length: bytes.length }, (_, at) =>
        Buffer.from(bytes.map((b, i) => (i === at ? b ^ 1 : b))),
      ),
      ...Array.from({ length: bytes.length }, (_, length) => bytes.subarray(0, length)),
      Buffer.concat([bytes, Buffer.of(0)]),
    ];
    const key = name.replace(/\.rows$/, '');
    const cache = new IndexCache(cacheFolder);
    expect(cache.read(key)).toEqual(whole.file.index);
    for (const damaged of damages) {
      writeFileSync(file, damaged);
      expect(cache.read(key)).toBeUndefined();
    }
    measured = [];
    const { rows } = await open(path);
    expect([measured.length, [...rows]]).toEqual([2, [...whole]]);
    expect(readFileSync(file)).toEqual(bytes);
  });

  it('does not need a place to be kept in', async () => {
    const path = folder.write('nowhere.jsonl', jsonl(['a', 'x'], ['b', 'y']));
    const file = folder.write('no-folder', '');
    expect((await open(path, { cache: new IndexCache(join(file, 'rows')) })).rows.length).toBe(2);
  });

  it('of a file that is still being written is not kept', async () => {
    const path = folder.write('fresh.jsonl', jsonl(['a', 'x'], ['b', 'y']));
    await open(path);
    expect(cached()).toEqual([]);
    await settled(path);
    const growing = () => appendFileSync(path, jsonl(['c', 'x']));
    expect(await rejection('data', open(path, { watch: growing }))).toContain(
      'was written while it was being read',
    );
    expect(cached()).toEqual([]);
  });

  it('leaves room for others: the longest unused are removed', () => {
    const cache = new IndexCache(cacheFolder);
    const none = { columns: {}, names: [], fields: [], skipped: [] };
    for (let i = 0; i < 40; i++) writeFileSync(join(cacheFolder, `old-${i}.rows`), JSON.stringify(none));
    for (let i = 0; i < 40; i++) utimesSync(join(cacheFolder, `old-${i}.rows`), i, i);
    const columns = { starts: new Float64Array(0), flags: new Uint8Array(0) } as never;
    cache.write('new', { ...none, columns: withAll(columns) });
    expect(cached()).toHaveLength(32);
    expect(cached()).toContain('new.rows');
    expect(cached()).not.toContain('old-0.rows');
    expect(cache.read('new')).toBeDefined();
  });
});

const withAll = (some: object) =>
  ({
    ...Object.fromEntries(
      ['lengths', 'lines', 'sums', 'keys', 'answers', 'sizes', 'counts', 'markStarts', 'marks'].map(
        (name) => [name, new Uint32Array(0)],
      ),
    ),
    ...some,
  }) as never;
