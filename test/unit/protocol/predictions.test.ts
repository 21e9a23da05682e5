import { describe, expect, it } from 'vitest';
import { AuroraError } from '../../../src/base/errors';
import { encodePredictions, newColumns, parsePredictions } from '../../../src/protocol/predictions';
import { predictions } from './columns';

const whole = predictions(
  [
    { label: 0, shares: [0.25, 0.75], tokens: 5 },
    { label: 1, shares: [0.4, 0.6], tokens: 16, cut: true },
  ],
  { excerpts: [{ example: 0, text: 'the cats play' }] },
);

interface Stored {
  version: number;
  form: string;
  metrics: { loss?: number };
  columns: Record<string, (number | null)[]>;
  excerpts: { example: number }[];
}

describe('a predictions file', () => {
  it('is read back as written', () => {
    const evaluated = { ...whole, evaluation: whole.metrics, form: 'static' as const };
    for (const written of [whole, evaluated])
      expect(parsePredictions('p.json', encodePredictions(written))).toEqual(written);
  });

  it('stays within a few megabytes for 100,000 examples', () => {
    const columns = newColumns(100_000);
    for (let i = 0; i < 100_000; i++) {
      columns.line[i] = i + 1;
      columns.label[i] = columns.predicted[i] = i % 19;
      for (const name of ['probability', 'truth', 'loss', 'margin'] as const)
        columns[name][i] = Number(((i + 0.5) / 100_001).toPrecision(6));
      columns.tokens[i] = 10 + (i % 400);
    }
    const labels = Array.from({ length: 19 }, (_, i) => String(i));
    const excerpts = Array.from({ length: 2000 }, (_, example) => ({ example, text: 'x'.repeat(280) }));
    const text = encodePredictions({ ...whole, labels, columns, excerpts });
    expect(text.length).toBeLessThan(7e6);
    const { loss } = parsePredictions('p.json', text).columns;
    expect(Buffer.from(loss.buffer).equals(Buffer.from(columns.loss.buffer))).toBe(true);
  });

  it('is named in the error if it is incomplete', () => {
    const text = encodePredictions(whole);
    const change = (edit: (value: Stored) => unknown) => {
      const value = JSON.parse(text) as Stored;
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
