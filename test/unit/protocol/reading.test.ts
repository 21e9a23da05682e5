import { describe, expect, it } from 'vitest';
import { onlyChanges, readingOf, readingText, type Reading } from '../../../src/protocol/preparing';

describe('the progress of reading a large file', () => {
  it('is a percentage that is never 100, and nothing once all is read', () => {
    expect(readingOf('a.csv', 0, 1000)).toEqual({ file: 'a.csv', percent: 0 });
    expect(readingOf('a.csv', 999, 1000)).toEqual({ file: 'a.csv', percent: 99 });
    expect(readingOf('a.csv', 1000, 1000)).toBeUndefined();
    expect(readingText({ file: 'a.csv', percent: 43 })).toBe('Reading a.csv: 43%');
  });

  it('is reported when it changes', () => {
    const said: (Reading | undefined)[] = [];
    const say = onlyChanges<Reading>((reading) => said.push(reading));
    for (const done of [0, 4, 10, 14, 100, 100]) say(readingOf('a', done, 100));
    say(readingOf('b', 0, 1));
    expect(said.map((r) => r && `${r.file} ${r.percent}`)).toEqual([
      'a 0',
      'a 4',
      'a 10',
      'a 14',
      undefined,
      'b 0',
    ]);
  });
});
