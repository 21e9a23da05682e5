import { describe, expect, it } from 'vitest';
import { settingFix } from '../../../../src/extension/preflight/setting-fix';

function fixed(text: string, key: string, value: string | number): string | undefined {
  const fix = settingFix(text, key, value);
  return fix && text.slice(0, fix.offset) + fix.content + text.slice(fix.offset + fix.length);
}

describe('the fix of a preflight finding', () => {
  const TEXT = '{\n  // why\n  "data": {\n    "train": "a.csv" // rows\n  }\n}\n';

  it('adds a setting to its section and keeps comments', () => {
    expect(fixed(TEXT, 'data.onBadRow', 'skip')).toBe(
      '{\n  // why\n  "data": {\n    "train": "a.csv", // rows\n    "onBadRow": "skip"\n  }\n}\n',
    );
  });

  it('adds a section that is missing, and replaces a value', () => {
    const once = fixed(TEXT, 'training.microBatchSize', 16)!;
    expect(JSON.parse(once.replace(/\/\/.*/g, ''))).toMatchObject({ training: { microBatchSize: 16 } });
    const twice = fixed(once, 'training.microBatchSize', 8)!;
    expect(twice).toBe(once.replace('16', '8'));
  });

  it('is not offered for a text that is not valid JSON or that has the value', () => {
    expect(fixed('{ "data": ', 'data.onBadRow', 'skip')).toBeUndefined();
    expect(fixed('{ "data": { "onBadRow": "skip" } }', 'data.onBadRow', 'skip')).toBeUndefined();
  });
});
