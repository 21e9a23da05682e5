import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { shellQuote } from '../../../src/base/shell-quote';

describe('a quoted argument', () => {
  const names = [
    'plain.json',
    'two words',
    "it's",
    'a "b" c',
    '$HOME',
    '`ls`',
    '~',
    '-x',
    'a\\b',
    'é*?',
    '',
    'a\nb',
    "''",
  ];

  it.skipIf(process.platform === 'win32')('reaches a program as it was', () => {
    const line = names.map((name) => shellQuote(name)).join(' ');
    const out = execFileSync('sh', ['-c', `for a in ${line}; do printf '%s\\0' "$a"; done`], {
      encoding: 'utf8',
    });
    expect(out.split('\0').slice(0, -1)).toEqual(names);
  });

  it('is not quoted without need, and has the quotes of its system', () => {
    expect(shellQuote('/a/b-c_d.json', 'linux')).toBe('/a/b-c_d.json');
    expect(shellQuote('C:\\a\\b.json', 'win32')).toBe('C:\\a\\b.json');
    expect(shellQuote('C:\\my runs\\a', 'win32')).toBe('"C:\\my runs\\a"');
  });
});
