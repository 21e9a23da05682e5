import { describe, expect, it } from 'vitest';
import type { Claim } from '../../../src/experiment/claim';
import type { MetricValue } from '../../../src/experiment/metrics';
import { RATE } from '../../../src/experiment/sweep';
import { extendedSpace, searched, searchSpace } from '../../../src/sweeps/claims/search';

const CLAIM = {
  metric: 'accuracy',
  search: { parameters: { [RATE]: [0.1, 0.2, 0.4] }, seeds: 2, extend: 2 },
} as unknown as Claim;

/** The search of a method whose accuracy depends on the rate alone. */
const search = (value: (rate: number) => MetricValue, space = searchSpace(CLAIM)) =>
  searched(CLAIM, space, (values) => value(values[RATE] as number));

const always = () => true;

describe('the search for the best settings', () => {
  it('chooses the best mean over the seeds', () => {
    const { tried, chosen } = searched(CLAIM, searchSpace(CLAIM), (values, seed) =>
      values[RATE] === 0.2 ? 0.5 : seed === 0 ? 0.9 : 0,
    );
    expect(tried.map(({ mean }) => mean)).toEqual([0.45, 0.5, 0.45]);
    expect(chosen).toEqual({ [RATE]: 0.2 });
  });

  it('takes the first of equal values, and never one that diverged', () => {
    expect(search(() => 0.5).chosen).toEqual({ [RATE]: 0.1 });
    expect(search((rate) => (rate === 0.1 ? 'diverged' : 0.1)).chosen).toEqual({ [RATE]: 0.2 });
    expect(search(() => 'diverged').chosen).toBeUndefined();
  });

  it('extends a list at the end where the best value of any method lies, up to the limit', () => {
    let space = searchSpace(CLAIM);
    const chosen = [{ [RATE]: 0.2 }, { [RATE]: 0.4 }];
    space = extendedSpace(CLAIM, space, chosen, always)!;
    expect(space.parameters[RATE]).toEqual([0.1, 0.2, 0.4, 0.8]);
    expect(extendedSpace(CLAIM, space, chosen, always)).toBeUndefined();
    space = extendedSpace(CLAIM, space, [{ [RATE]: 0.2 }, { [RATE]: 0.8 }], always)!;
    expect(space.parameters[RATE]).toEqual([0.1, 0.2, 0.4, 0.8, 1.6]);
    expect(extendedSpace(CLAIM, space, [{ [RATE]: 0.2 }, { [RATE]: 1.6 }], always)).toBeUndefined();
    expect(extendedSpace(CLAIM, space, [{ [RATE]: 0.1 }, { [RATE]: 1.6 }], always)!.parameters[RATE]).toEqual(
      [0.1, 0.2, 0.4, 0.8, 1.6, 0.05],
    );
  });

  it('does not go on with a value that the setting does not allow', () => {
    expect(
      extendedSpace(CLAIM, searchSpace(CLAIM), [{ [RATE]: 0.4 }], (_, value) => value < 0.8),
    ).toBeUndefined();
  });
});
