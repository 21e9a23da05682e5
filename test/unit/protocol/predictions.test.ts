import { describe, expect, it } from 'vitest';
import { AuroraError } from '../../../src/base/errors';
import { encodePredictions, parsePredictions } from '../../../src/protocol/predictions';
import { labelColumns } from '../../../src/protocol/answers/label';
import { predictions, spanPredictions } from './columns';

const whole = predictions(
  [
    { label: 0, shares: [0.25, 0.75], tokens: 5 },
    { label: 1, shares: [0.4, 0.6], tokens: 16, cut: true },
  ],
  { excerpts: [{ example: 0, text: 'the cats play' }] },
);

const spans = spanPredictions([
  { text: '=[Oslo LOC] or -[Rome LOC] +[or LOC]', tokens: 9 },
  { text: 'none', tokens: 3, cut: true },
]);
const noSpans = { labels: [], spans: spanPredictions([{ text: 'none' }]).spans };

interface Stored {
  version: number;
  form: string;
  metrics: { loss?: number };
  columns: Record<string, (number | null)[]>;
  excerpts: { example: number }[];
  spans: Record<string, number[]>;
  answer?: string;
  labels: string[];
}

describe('a predictions file', () => {
  it('is read back as written', () => {
    const evaluated = { ...whole, evaluation: whole.metrics, form: 'static' as const };
    for (const written of [whole, evaluated, spans, { ...spans, ...noSpans }])
      expect(parsePredictions('p.json', encodePredictions(written))).toEqual(written);
  });

  it('stays within a few megabytes for 100,000 examples', () => {
    const of = (value: (i: number) => number) => Array.from({ length: 100_000 }, (_, i) => value(i));
    const shares = of((i) => Number(((i + 0.5) / 100_001).toPrecision(6)));
    const columns = labelColumns({
      line: of((i) => i + 1),
      label: of((i) => i % 19),
      predicted: of((i) => i % 19),
      ...{ probability: shares, truth: shares, loss: shares, margin: shares },
      tokens: of((i) => 10 + (i % 400)),
      cut: of(() => 0),
    });
    const labels = Array.from({ length: 19 }, (_, i) => String(i));
    const excerpts = Array.from({ length: 2000 }, (_, example) => ({ example, text: 'x'.repeat(280) }));
    const text = encodePredictions({ ...whole, labels, columns, excerpts });
    expect(text.length).toBeLessThan(7e6);
    const { loss } = parsePredictions('p.json', text).columns;
    expect(Buffer.from(loss.buffer).equals(Buffer.from(columns.loss.buffer))).toBe(true);
  });

  it('is named in the error if it is incomplete', () => {
    const text = encodePredictions(whole);
    const change = (edit: (value: Stored) => unknown, of = text) => {
      const value = JSON.parse(of) as Stored;
      edit(value);
      return JSON.stringify(value);
    };
    const damaged = [
      '',
      text.slice(0, 200),
      '[]',
      change((v) => (v.columns.loss[1] = null)),
      change((v) => (v.columns.label[0] = 2)),
      change((v) => v.columns.margin.pop()),
      change((v) => (v.columns = { line: [] })),
      change((v) => (v.excerpts[0].example = 2)),
      change((v) => delete v.metrics.loss),
      change((v) => (v.form = 'other')),
      change((v) => (v.answer = 'spans')),
      change((v) => (v.labels = [])),
      ...[
        (v: Stored) => (v.answer = 'label'),
        (v: Stored) => (v.answer = 'text'),
        (v: Stored) => (v.spans = {}),
        (v: Stored) => (v.spans.example[1] = 2),
        (v: Stored) => (v.spans.label[0] = 3),
        (v: Stored) => (v.spans.found[0] = 3),
        (v: Stored) => v.spans.end.pop(),
        (v: Stored) => (v.spans.start[0] = -1),
        (v: Stored) => (v.labels = []),
      ].map((edit) => change(edit, encodePredictions(spans))),
    ];
    for (const part of damaged) {
      const read = () => parsePredictions('/run/p.json', part);
      expect(read).toThrow(AuroraError);
      expect(read).toThrow('/run/p.json does not hold a checkpoint');
    }
    const newer = change((v) => (v.version = 2));
    expect(() => parsePredictions('/run/p.json', newer)).toThrow('has the version 2');
  });
});
