import { describe, expect, it } from 'vitest';
import { anl, offsetPenalty } from '../../../../src/adapters/methods/anl';
import { basisCount } from '../../../../src/adapters/methods/spline';
import type { AuroraSpec } from '../../../../src/experiment/methods';
import { auroraSpec } from '../../specs';

const RANK = 3;
const values = (spec: AuroraSpec) => ({
  ...(spec.fixed && { H: Float32Array.from({ length: RANK * RANK }, (_, i) => Math.sin(i + 1)) }),
  ...(spec.learnable && {
    W: Float32Array.from({ length: RANK * basisCount(spec) }, (_, i) => Math.cos(3 * i)),
  }),
});
const none = new Float32Array();
const squares = (spec: AuroraSpec, { H = none, W = none }: ReturnType<typeof values>) =>
  anl(new Float64Array(RANK), H, W, spec).reduce((sum, v) => sum + v * v, 0);

describe('the penalty on σ(0)', () => {
  it.each<[string, Partial<AuroraSpec>]>([
    ['tanh', {}],
    ['sigmoid', { activation: 'sigmoid' }],
    ['leaky-relu', { activation: 'leaky-relu' }],
    ['sigmoid without spline', { activation: 'sigmoid', learnable: false }],
    ['the spline alone', { fixed: false, gridSize: 4, splineOrder: 2, gridRange: [-0.5, 1] }],
  ])('equals ‖σ(0)‖², with matching gradients: %s', (_, over) => {
    const spec = auroraSpec({ rank: RANK, ...over });
    const at = values(spec);
    const weight = 0.7;
    const { value, ...gradients } = offsetPenalty(RANK, at, spec, weight);
    expect(value).toBeCloseTo(squares(spec, at), 6);
    expect(value).toBeGreaterThan(0);
    for (const name of ['H', 'W'] as const) {
      expect(gradients[name] !== undefined).toBe(at[name] !== undefined);
      gradients[name]?.forEach((g, i) => {
        const moved = (by: number) => {
          const tensor = Float64Array.from(at[name]!);
          tensor[i] += by;
          return squares(spec, { ...at, [name]: tensor as unknown as Float32Array });
        };
        expect(g).toBeCloseTo((weight * (moved(1e-5) - moved(-1e-5))) / 2e-5, 6);
      });
    }
  });

  it('is zero where σ(0) is zero', () => {
    const spec = auroraSpec({ rank: RANK, learnable: false });
    const { value, H } = offsetPenalty(RANK, values(spec), spec, 1);
    expect([value, ...H!].map(Math.abs)).toEqual(new Array(1 + RANK * RANK).fill(0));
  });
});
