import { describe, expect, it } from 'vitest';
import { fill } from '../../../../src/base/fill';
import { callOuts, r2, type LayerShape } from '../../../../src/adapters/activations/shape-words';

const GRID = { gridRange: [-1, 1] as [number, number], gridSize: 5 };
const layer = (path: string, over: Partial<LayerShape> = {}): LayerShape => ({
  path,
  linearity: 0.9,
  saturation: 0.1,
  change: 0,
  relativeChange: 0,
  outside: 0,
  reach: [-1, 1],
  ...over,
});
const said = (layers: LayerShape[], grid = GRID) =>
  callOuts(layers, grid).map((c) => fill(c.sentence, ...c.values));

describe('what stands out', () => {
  it('names the layer that left the support and the range that would hold it', () => {
    const sentences = said([
      layer('a', { linearity: 0.95 }),
      layer('encoder.layer.3.attention.value', { outside: 0.12, reach: [-5.4, 3.1] }),
    ]);
    expect(sentences[0]).toBe(
      "encoder.layer.3.attention.value: 12 % of z lies outside the spline's support; widen gridRange to [-6, 6].",
    );
  });

  it('keeps an uneven grid uneven', () => {
    const grid = { gridRange: [0, 2] as [number, number], gridSize: 5 };
    expect(said([layer('a', { outside: 0.5, reach: [-0.2, 7.5] })], grid)[0]).toContain('[-1, 8]');
  });

  it('does not suggest the range there is', () => {
    const grid = { gridRange: [-9, 9] as [number, number], gridSize: 5 };
    expect(said([layer('a', { outside: 0.5, reach: [-5, 5] })], grid)[0]).toContain('smaller learning rate');
  });

  it('says nothing of what stays under its threshold', () => {
    expect(said([layer('a', { linearity: 0.979 })])).toEqual([
      'a bends most: a straight line explains 98 % of the variance of its curve over the data.',
    ]);
    expect(callOuts([], GRID)).toEqual([]);
  });

  it('sums up many lines in one sentence and links to the straightest', () => {
    const lines = [0.99, 0.995, 0.9999, 0.985].map((linearity, i) => layer(`l${i}`, { linearity }));
    const outs = callOuts([...lines, layer('bent', { linearity: 0.4 })], GRID);
    expect(outs.map((o) => [o.kind, o.path])).toEqual([
      ['linear', 'l2'],
      ['bent', 'bent'],
    ]);
    expect(outs[0].values[0]).toBe('4');
  });

  it('tells saturated from changed, the worst of each first', () => {
    const outs = callOuts(
      [
        layer('a', { saturation: 0.6 }),
        layer('b', { saturation: 0.9 }),
        layer('c', { relativeChange: 0.5 }),
        layer('flat', { relativeChange: Infinity }),
      ],
      GRID,
    );
    expect(outs.filter((o) => o.kind === 'saturated').map((o) => o.path)).toEqual(['b', 'a']);
    expect(outs.find((o) => o.kind === 'changed')).toMatchObject({ path: 'c', values: ['c', '50 %'] });
  });

  it('never rounds a curve to a line', () => {
    expect([r2(1), r2(0.99999), r2(0.9712)]).toEqual(['1.000', '0.9999', '0.971']);
  });
});
