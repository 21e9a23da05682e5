import { describe, expect, it } from 'vitest';
import { leastCosine, largestWeight } from '../../../src/engine/onnxruntime/int8-step';

const gradients = (values: Record<string, number[]>) =>
  new Map(Object.entries(values).map(([name, g]) => [name, Float32Array.from(g)]));

describe('how int8 is judged', () => {
  it('takes the tensor that agrees least, without those that are 0 or next to it', () => {
    const exact = gradients({ A: [3, 4], B: [1, 0], zero: [0, 0], tiny: [1e-4, 0] });
    const rounded = gradients({ A: [6, 8], B: [1, 1], zero: [1, 0], tiny: [0, 1] });
    expect(leastCosine(exact, rounded)).toBeCloseTo(Math.SQRT1_2, 6);
    expect(leastCosine(exact, exact)).toBeCloseTo(1, 6);
    expect(leastCosine(exact, gradients({ A: [3, NaN], B: [1, 0], zero: [0, 0], tiny: [0, 0] }))).toBeNaN();
    expect(leastCosine(new Map(), new Map())).toBe(1);
  });

  it('finds out whether products of this processor overflow', async () => {
    expect([64, 127]).toContain(await largestWeight({ threads: 1 }));
  });
});
