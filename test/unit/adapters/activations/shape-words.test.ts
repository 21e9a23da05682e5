import { describe, expect, it } from 'vitest';
import { t } from '../../../../src/base/l10n';
import { r2Text } from '../../../../src/base/number-text';
import { callOuts, type LayerShape } from '../../../../src/adapters/activations/shape-words';

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
  callOuts(layers, grid).map((c) => t(c.sentence, ...c.values));

describe('the call-outs for layers', () => {
  it('name a layer outside the support and a range that covers it', () => {
    const sentences = said([
      layer('a', { linearity: 0.95 }),
      layer('encoder.layer.3.attention.value', { outside: 0.12, reach: [-5.4, 3.1] }),
    ]);
    expect(sentences[0]).toBe(
      "encoder.layer.3.attention.value: 12% of z lies outside the spline's support; widen gridRange to [-6, 6].",
    );
  });

  it('keep an asymmetric grid asymmetric', () => {
    const grid = { gridRange: [0, 2] as [number, number], gridSize: 5 };
    expect(said([layer('a', { outside: 0.5, reach: [-0.2, 7.5] })], grid)[0]).toContain('[-1, 8]');
  });

  it('suggest a smaller learning rate when the grid already covers the data', () => {
    const grid = { gridRange: [-9, 9] as [number, number], gridSize: 5 };
    expect(said([layer('a', { outside: 0.5, reach: [-5, 5] })], grid)[0]).toContain('smaller learning rate');
  });

  it('omit layers below the thresholds', () => {
    expect(said([layer('a', { linearity: 0.979 })])).toEqual([
      'a bends most: a straight line explains 98% of the variance of its curve over the data.',
    ]);
    expect(callOuts([], GRID)).toEqual([]);
  });

  it('sum up several linear layers in one sentence that links to the most linear one', () => {
    const lines = [0.99, 0.995, 0.9999, 0.985].map((linearity, i) => layer(`l${i}`, { linearity }));
    const outs = callOuts([...lines, layer('bent', { linearity: 0.4 })], GRID);
    expect(outs.map((o) => [o.kind, o.path])).toEqual([
      ['linear', 'l2'],
      ['bent', 'bent'],
    ]);
    expect(outs[0].values[0]).toBe('4');
  });

  it('distinguish saturated from changed layers, the most extreme first', () => {
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
    expect(outs.find((o) => o.kind === 'changed')).toMatchObject({ path: 'c', values: ['c', '50%'] });
  });

  it('never round an R² up to 1', () => {
    expect([1, 0.99999, 0.9712].map(r2Text)).toEqual(['1', '0.9999', '0.971']);
  });
});
