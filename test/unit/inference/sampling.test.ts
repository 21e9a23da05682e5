import { describe, expect, it } from 'vitest';
import { GENERATION_DEFAULTS } from '../../../src/protocol/play-question';
import { uniform } from '../../../src/base/random';
import { candidates, nextToken } from '../../../src/inference/generate';

const logits = (seed: number, size: number) =>
  Float32Array.from({ length: size }, (_, i) => 6 * uniform(seed, i) - 3);

/** In the order of Hugging Face's logits warpers, with a full sort. */
function plain(of: Float32Array, temperature: number, topK: number, topP: number): Map<number, number> {
  const chances = (ids: number[]) => {
    const e = ids.map((id) => Math.exp(of[id] / temperature));
    const sum = e.reduce((a, b) => a + b);
    return ids.map((id, i) => [id, e[i] / sum] as const);
  };
  const sorted = [...of.keys()].sort((a, b) => of[b] - of[a] || a - b);
  const top = chances(topK > 0 ? sorted.slice(0, topK) : sorted);
  let before = 0;
  const kept = top.filter(([, p]) => {
    const needed = before < topP;
    before += p;
    return topP === 1 || needed;
  });
  return new Map(chances(kept.map(([id]) => id)));
}

describe('the candidates for the next token', () => {
  const cases = [0.3, 1, 2.5].flatMap((temperature) =>
    [0, 1, 5, 40, 500].flatMap((topK) => [0.05, 0.5, 0.9, 0.999, 1].map((topP) => [temperature, topK, topP])),
  );
  it.each(cases)(
    'match the direct computation: temperature %d, top-k %d, top-p %d',
    (temperature, topK, topP) => {
      for (const seed of [1, 2, 3]) {
        const of = logits(seed, 200);
        const wanted = plain(of, temperature, topK, topP);
        const have = candidates(of, { temperature, topK, topP });
        const ids = Array.from(have.ids);
        expect(ids.toSorted((a, b) => a - b)).toEqual([...wanted.keys()].sort((a, b) => a - b));
        ids.forEach((id, i) => expect(have.probabilities[i]).toBeCloseTo(wanted.get(id)!, 10));
        expect(have.probabilities.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
      }
    },
  );

  it('include all ties at the end of the top k and are never empty', () => {
    const of = Float32Array.of(1, 2, 2, 2, 0);
    expect(candidates(of, { temperature: 1, topK: 2, topP: 1 }).ids).toEqual([1, 2, 3]);
    expect(candidates(of, { temperature: 1, topK: 0, topP: 1e-9 }).ids).toEqual([1]);
  });
});

describe('the next token', () => {
  const settings = { ...GENERATION_DEFAULTS, temperature: 1, seed: 5 };

  it('is the most likely one at temperature 0, whatever the other settings', () => {
    const of = logits(4, 50);
    const best = of.indexOf(Math.max(...of));
    expect(nextToken(of, { ...settings, temperature: 0, topK: 3, topP: 0.2 }, 7)).toBe(best);
  });

  it('is reproducible for a seed and a position, and differs for others', () => {
    const of = logits(6, 50);
    const draw = (seed: number) =>
      Array.from({ length: 40 }, (_, i) => nextToken(of, { ...settings, seed }, i));
    expect(draw(5)).toEqual(draw(5));
    expect(draw(5)).not.toEqual(draw(6));
    expect(new Set(draw(5)).size).toBeGreaterThan(5);
  });

  it('occurs as often as its probability', () => {
    const of = Float32Array.from([0.5, 0.3, 0.2], Math.log);
    const counts = [0, 0, 0];
    for (let i = 0; i < 20_000; i++) counts[nextToken(of, settings, i)]++;
    expect(counts.map((n) => Math.round((100 * n) / 20_000))).toEqual([50, 30, 20]);
  });
});
