import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Lab } from './lab';

const LABELS = ['__proto__', 'constructor', 'toString'];
const lab = new Lab({
  data: {
    train: 'train.jsonl',
    validation: 'validation.jsonl',
    textColumn: 'hasOwnProperty',
    labelColumn: '__proto__',
  },
  training: { epochs: 1 },
});
afterAll(() => lab.remove());

const WORDS = ['the cat', 'playing', 'the cats played !'];
const rows = (count: number): string =>
  Array.from({ length: count }, (_, i) => {
    const label = i % LABELS.length;
    return `{"hasOwnProperty":${JSON.stringify(WORDS[label])},"__proto__":${JSON.stringify(LABELS[label])}}\n`;
  }).join('');
lab.write('train.jsonl', rows(48));
lab.write('validation.jsonl', rows(24));

describe('names of inherited members', () => {
  it.each([
    [2, '__proto__'],
    [2, 'constructor'],
    [2, 'train', '--__proto__'],
    [2, 'train', '--constructor=1'],
    [2, 'budget', '--recipe', '__proto__'],
    [2, 'budget', '--recipe', 'vit-base', '--method', 'constructor'],
    [2, 'gpu', 'check', 'toString'],
    [2, 'reproduce', 'valueOf'],
    [3, 'train', lab.experiment, '--set', '__proto__.NODE_OPTIONS=x'],
    [3, 'sweep', lab.experiment, '--set', 'sweep.parameters.constructor.prototype=[1]'],
  ])('are rejected with exit code %i: %s, %s …', (code, ...args) => {
    const outcome = lab.run(...(args as string[]));
    expect(outcome.err).not.toContain('unexpected');
    expect(outcome.code).toBe(code);
  });

  it('work as labels and columns in preflight, train, errors, export and study', () => {
    const out = lab.path('out');
    const done = (...args: string[]) => {
      const outcome = lab.run(...args);
      expect(outcome.err).not.toContain('error:');
      expect(outcome.code).toBe(0);
      return outcome.out;
    };
    const preflight = done('preflight', lab.experiment);
    for (const label of LABELS) expect(preflight).toMatch(new RegExp(`${label} +16 \\(33`));
    done('train', lab.experiment, '--out', out);
    const [run] = lab.runs(out);
    const started = readFileSync(join(run, 'events.jsonl'), 'utf8');
    expect(started).toContain(`"labels":${JSON.stringify(LABELS)}`);
    expect(done('errors', run)).toContain('__proto__');
    const exported = lab.path('exported');
    done('export', run, '--as', 'onnx-dynamic', '--out', exported);
    const config = JSON.parse(readFileSync(join(exported, 'config.json'), 'utf8')) as {
      label2id: Record<string, number>;
    };
    expect(Object.entries(config.label2id)).toEqual(LABELS.map((label, i) => [label, i]));
    done('study', run, '--out', lab.path('study'), '--title', '__proto__');
    expect(existsSync(lab.path('study/report.md'))).toBe(true);
  });
});
