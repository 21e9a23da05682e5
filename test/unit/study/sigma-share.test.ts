import { describe, expect, it } from 'vitest';
import type { AdapterSpec } from '../../../src/experiment/methods';
import type { Share } from '../../../src/protocol/nonlinearity';
import { sigmaShares } from '../../../src/study/figures/sigma-share';
import { studyOf } from '../../../src/study/study';
import type { StudyRun } from '../../../src/study/study-run';
import { aurora, lora, studyRun } from './runs';

const run = (
  adapter: AdapterSpec,
  seed: number,
  nonlinearity: StudyRun['nonlinearity'],
  learningRate = 2e-3,
) => studyRun(adapter, seed, 0.6, { nonlinearity, training: { learningRate } });
const share = (value: number, low = value - 0.02, high = value + 0.03): StudyRun['nonlinearity'] => ({
  linear: false,
  share: { value, low, high } satisfies Share,
});
const LINEAR = { linear: true };

const figure = (runs: StudyRun[]) => sigmaShares(studyOf(runs, {}).sections[0], 640);

describe('the figure of the share of the gain that needs σ', () => {
  it('has every method, rank and learning rate, also rates that were not chosen', () => {
    const found = figure([
      run(lora(), 1, LINEAR),
      run(aurora(), 1, share(0.1), 2e-3),
      run(aurora(), 2, share(0.2), 2e-3),
      run(aurora(), 1, share(0.04), 1e-2),
      run(aurora({ rank: 8 }), 1, share(0.3)),
    ])!;
    // 0.15 ± 12.706 · 0.05: two seeds say little.
    expect(found.table.rows).toEqual([
      ['LoRA r=2', '1', '0% (linear)', '–'],
      ['AuroRA r=2, learning rate 2e-3', '2', '15.0%', '−48.5% … 78.5%'],
      ['AuroRA r=2, learning rate 1e-2', '1', '4.0%', '2.0% … 7.0%'],
      ['AuroRA r=8', '1', '30.0%', '28.0% … 33.0%'],
    ]);
    expect(found.summary).toContain('AuroRA r=8: 30.0%');
    const numbers = found.shapes.flatMap((s) => Object.values(s).filter((v) => typeof v === 'number'));
    expect(numbers.every(Number.isFinite)).toBe(true);
  });

  it('leaves out groups without a share, and does not exist for linear methods alone', () => {
    const unclear = { linear: false };
    expect(figure([run(lora(), 1, LINEAR), run(aurora(), 1, undefined)])).toBeUndefined();
    expect(figure([run(lora(), 1, LINEAR), run(aurora(), 1, unclear)])).toBeUndefined();
    expect(figure([run(aurora(), 1, unclear), run(aurora({ rank: 8 }), 1, share(0.3))])!.table.rows).toEqual([
      ['AuroRA r=8', '1', '30.0%', '28.0% … 33.0%'],
    ]);
  });
});
