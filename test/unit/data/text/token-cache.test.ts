import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { TokenCache, type Encoded } from '../../../../src/data/text/token-cache';

const FIXTURES = 'test/fixtures/data/wordpiece';
const folder = mkdtempSync(join(tmpdir(), 'aurora-tokens-'));
const tokenizer = join(folder, 'tokenizer.json');
for (const name of ['tokenizer.json', 'tokenizer_config.json'])
  copyFileSync(join(FIXTURES, name), join(folder, name));
const cacheFolder = join(folder, 'cache');
afterEach(() => rmSync(cacheFolder, { recursive: true, force: true }));

/** Long enough that the tokens are worth writing. */
const long = (i: number): string => `${i} ${'word '.repeat(20_000)}`;
const tokens = (i: number): Encoded => ({ ids: [i, 2 ** 31 - 1, 0], token_type_ids: [0, 1, 1] });

/** Encodes these texts in a process of their own, as far as it can be seen here; returns those that it had to encode. */
function run(texts: readonly number[], path = tokenizer): number[] {
  const cache = new TokenCache(path, cacheFolder);
  const encoded: number[] = [];
  for (const i of texts) {
    const found = cache.encoded(long(i), true, () => {
      encoded.push(i);
      return tokens(i);
    });
    expect(found).toEqual(tokens(i));
  }
  cache.keep();
  return encoded;
}

const files = () => readdirSync(cacheFolder).map((name) => join(cacheFolder, name));

describe('tokens of earlier runs', () => {
  it('are read, and those of other texts are added', () => {
    expect(run([1, 2])).toEqual([1, 2]);
    expect(run([2, 1, 3, 4])).toEqual([3, 4]);
    expect(run([4, 1])).toEqual([]);
    expect(run([1, 2, 3, 4])).toEqual([]);
    expect(files()).toHaveLength(1);
  });

  it('belong to one tokenizer, its settings included, and to one way of encoding', () => {
    run([1, 2]);
    const cache = new TokenCache(tokenizer, cacheFolder);
    const bare = { ids: [7] };
    expect(cache.encoded(long(1), false, () => bare)).toEqual(bare);
    const other = join(mkdtempSync(join(folder, 'other-')), 'tokenizer.json');
    copyFileSync(tokenizer, other);
    expect(run([1, 2], other)).toEqual([1, 2]);
    expect(files()).toHaveLength(2);
  });

  it('count as missing where the file is damaged or cut off', () => {
    run([1, 2]);
    const [file] = files();
    const whole = readFileSync(file);
    writeFileSync(file, whole.subarray(0, whole.length - 4));
    expect(run([1, 2])).toEqual([1, 2]);
    whole[whole.length - 1] ^= 1;
    writeFileSync(file, whole);
    expect(run([1, 2])).toEqual([1, 2]);
    expect(run([1, 2])).toEqual([]);
  });

  it('are not written for a few short texts', () => {
    const cache = new TokenCache(tokenizer, cacheFolder);
    cache.encoded('short', true, () => tokens(1));
    cache.keep();
    expect(() => readdirSync(cacheFolder)).toThrow();
  });

  it('are no longer remembered once they have been kept', () => {
    const cache = new TokenCache(tokenizer, cacheFolder);
    cache.encoded(long(1), true, () => tokens(1));
    cache.keep();
    expect(cache.encoded(long(1), true, () => tokens(5))).toEqual(tokens(5));
  });
});
