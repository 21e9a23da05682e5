import { describe, expect, it } from 'vitest';
import { fitted, helpText } from '../../../src/cli/help-text';

const HELP = `Usage: aurora demo FILE
       aurora demo --search TEXT

Downloads a model or a data set from somewhere into the cache, which other libraries share,
and prints the reference. Then it ends.
A short line.

  --revision R       a branch, a tag or a commit (default: main), which may be anything that the
                     repository has
  --json             print JSON

{
  "model": { "path": "model.onnx" }
}
`;

describe('a help text', () => {
  it('fills the width of its terminal', () => {
    expect(fitted(HELP, 200).split('\n').slice(3, 7)).toEqual([
      'Downloads a model or a data set from somewhere into the cache, which other libraries share, and prints the reference. Then it ends.',
      'A short line.',
      '',
      '  --revision R       a branch, a tag or a commit (default: main), which may be anything that the repository has',
    ]);
  });

  it.each([100, 60, 44, 30])('fits into %i columns, and keeps its words, commands and examples', (width) => {
    const text = fitted(HELP, width);
    const prose = text.split('\n').filter((line) => !/^( +aurora|[{}]| {2}")/.test(line));
    for (const line of prose) expect(line.length).toBeLessThanOrEqual(width);
    expect(text.split(/\s+/)).toEqual(HELP.split(/\s+/));
    expect(text).toContain('{\n  "model": { "path": "model.onnx" }\n}\n');
    expect(text).toContain('Usage: aurora demo FILE\n       aurora demo --search TEXT\n');
  });

  it('stays as it was written where there is no terminal', () => {
    const stream = (isTTY: boolean, columns: number) => ({ isTTY, columns }) as NodeJS.WriteStream;
    expect(helpText(HELP, stream(false, 0))).toBe(HELP);
    expect(helpText(HELP, stream(true, 0))).toBe(HELP);
    expect(helpText(HELP, stream(true, 44))).toBe(fitted(HELP, 44));
  });
});
