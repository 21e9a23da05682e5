import { describe, expect, it } from 'vitest';
import { commonColumns } from '../../../src/protocol/answers/answer-kind';
import { labelColumns } from '../../../src/protocol/answers/label';
import { labelSetColumns } from '../../../src/protocol/answers/label-set';
import { numberColumns } from '../../../src/protocol/answers/number';
import { spanColumns } from '../../../src/protocol/answers/spans';
import { textColumns } from '../../../src/protocol/answers/text';
import { hasTurnedWrong, parseSamples } from '../../../src/protocol/run-files/samples';
import { sampleAnswers, isKept, spreadPlaces } from '../../../src/training/sample-recorder';

const rows = ['Ada Lovelace wrote it', 'Paris'].map((text, i) => ({ text, label: '', line: i + 1 }));
const common = { line: [1, 2], loss: [0.5, 2], margin: [0, 0], tokens: [3, 3], cut: [0, 0] };

describe('samples', () => {
  it('are spread over the data, the same ones for the same data', () => {
    expect(spreadPlaces(3, 8)).toEqual([0, 1, 2]);
    expect(spreadPlaces(1000, 4)).toEqual([125, 375, 625, 875]);
    expect(spreadPlaces(0, 8)).toEqual([]);
  });

  it('are kept of the first, the last and evenly spread evaluations, whatever was written before', () => {
    for (const total of [1, 7, 10, 11, 40, 1000]) {
      const all = Array.from({ length: total }, (_, i) => i + 1);
      const kept = all.filter((nth) => isKept(nth, total, 10));
      expect(kept.length).toBeLessThanOrEqual(11);
      expect([kept[0], kept.at(-1)]).toEqual([1, total]);
      // One after the other, as a run writes them.
      const written = all.reduce<number[]>((now, nth) => [...now, nth].filter((n) => isKept(n, nth, 10)), []);
      expect(written).toEqual(kept);
    }
  });

  it('say what was predicted, for each shape of answer', () => {
    const label = sampleAnswers(
      {
        answer: 'label',
        labels: ['ham', 'spam'],
        columns: labelColumns({
          ...common,
          label: [0, 1],
          predicted: [0, 0],
          probability: [0.9, 0.7],
          truth: [0.9, 0.3],
        }),
      },
      rows,
    );
    expect(label.truths).toEqual(['ham', 'spam']);
    expect(label.predictions).toEqual([
      { said: 'ham', right: true, probability: 0.9, loss: 0.5 },
      { said: 'ham', right: false, probability: 0.7, loss: 2 },
    ]);
    const number = sampleAnswers(
      {
        answer: 'number',
        labels: ['score'],
        columns: numberColumns({ ...common, value: [1, 2], predicted: [1.5, 2] }),
      },
      rows,
    );
    expect([number.truths, number.predictions[0]]).toEqual([[1, 2], { said: 1.5, loss: 0.5 }]);
    const text = sampleAnswers(
      { answer: 'text', labels: [], columns: textColumns({ ...common, answered: [4, 2], right: [3, 0] }) },
      rows,
    );
    expect([text.truths[0], text.predictions[0]]).toEqual([undefined, { tokens: [3, 4], loss: 0.5 }]);
    const sets = sampleAnswers(
      {
        answer: 'labels',
        labels: ['a', 'b', 'c'],
        columns: commonColumns(common),
        // The first has a and b, and is given b and c; the second has none and is given none.
        sets: labelSetColumns({
          example: [0, 0, 0],
          label: [0, 1, 2],
          found: [0, 2, 1],
          probability: [0.1, 0.9, 0.8],
        }),
      },
      rows,
    );
    expect(sets.truths).toEqual(['a · b', '']);
    expect(sets.predictions.map(({ said, right }) => [said, right])).toEqual([
      ['b · c', false],
      ['', true],
    ]);
    const spans = sampleAnswers(
      {
        answer: 'spans',
        labels: ['person', 'place'],
        columns: commonColumns(common),
        spans: spanColumns({ example: [0, 1], start: [0, 0], end: [12, 5], label: [0, 1], found: [2, 0] }),
      },
      rows,
    );
    expect(spans.truths).toEqual(['person: Ada Lovelace', 'place: Paris']);
    expect(spans.predictions.map(({ said, right }) => [said, right])).toEqual([
      ['person: Ada Lovelace', true],
      ['', false],
    ]);
  });

  it('turn wrong only from right, and a file of another version is none', () => {
    const [right, wrong] = [true, false].map((r) => ({ right: r, loss: 1 }));
    expect([
      hasTurnedWrong(right, wrong),
      hasTurnedWrong(wrong, wrong),
      hasTurnedWrong(undefined, wrong),
    ]).toEqual([...[true, false, false]]);
    const whole = { version: 1, answer: 'label', rows: [{ text: 'a' }], evaluations: [] };
    expect(parseSamples(whole)).toEqual(whole);
    const uneven = { ...whole, evaluations: [{ step: 1, epoch: 1, answers: [] }] };
    for (const other of [{ ...whole, version: 2 }, uneven, null, 'x', { ...whole, rows: [null] }])
      expect(parseSamples(other)).toBeUndefined();
  });
});
