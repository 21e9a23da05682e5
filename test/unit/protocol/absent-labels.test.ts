import { describe, expect, it } from 'vitest';
import { absentWords, type AbsentLabels } from '../../../src/protocol/absent-labels';
import type { Metrics } from '../../../src/experiment/metrics';

const words = (...labels: AbsentLabels['labels']) =>
  absentWords({ macroF1: 0.74, absentLabels: { labels, macroF1: 0.88 } } as Metrics);

describe('labels that no example has', () => {
  it('are named, with what they make of macro F1', () => {
    expect(words({ label: 'tail', predicted: 1 })).toBe(
      'No example has the label "tail", which was predicted once. Its F1 is 0, which makes macro F1, the mean over labels, 74.0% instead of 88.0%.',
    );
    expect(words({ label: 'tail', predicted: 7 })).toContain('"tail", which was predicted 7 times.');
    expect(words({ label: 'tail', predicted: 0 })).toMatch(/^No example has the label "tail"\. Its F1 is 0/);
    expect(words(...['a', 'b', 'c', 'd', 'e'].map((label) => ({ label, predicted: 2 })))).toMatch(
      /^No example has these labels, which were predicted 10 times: "a", "b", "c", 2 more\. Their F1 is 0/,
    );
  });

  it.each<[string, unknown]>([
    ['none', { macroF1: 0.5 }],
    ['an empty list', { macroF1: 0.5, absentLabels: { labels: [], macroF1: 0.5 } }],
    ['another shape', { macroF1: 0.5, absentLabels: { labels: [{ label: 3 }], macroF1: 0.5 } }],
    ['null', { macroF1: 0.5, absentLabels: null }],
    ['no macro F1', { absentLabels: { labels: [{ label: 'a', predicted: 1 }], macroF1: 1 } }],
  ])('are not made up from %s', (_, metrics) => expect(absentWords(metrics as Metrics)).toBeUndefined());
});
