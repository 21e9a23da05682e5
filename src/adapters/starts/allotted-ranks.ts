import { isRankedByLayer, type TrainedSpec, type WithAlpha } from '../../experiment/methods';
import { exactly, fromPattern } from '../targets/targets';

/**
 * Settings with other ranks for the layers than the experiment gives them, as EVA spreads them. Alpha changes with the
 * rank, so that alpha / rank stays; layers of rank 0 get no adapter. As PEFT's _load_eva_state_dict.
 *
 * @param ranks by the paths of all layers that the settings select
 */
export function withRanks<S extends TrainedSpec>(spec: S, ranks: Readonly<Record<string, number>>): S {
  if (!isRankedByLayer(spec) || !('alpha' in spec)) return spec;
  const given = spec as WithAlpha;
  const paths = Object.keys(ranks);
  const kept = paths.filter((path) => ranks[path] > 0);
  const alphaOf = (path: string) => {
    const rank = fromPattern(path, given.rankPattern, given.rank, 'rankPattern', paths);
    const alpha = fromPattern(path, given.alphaPattern, given.alpha, 'alphaPattern', paths);
    return alpha * (ranks[path] / rank);
  };
  const other = (valueOf: (path: string) => number, common: number) =>
    Object.fromEntries(
      kept.map((path) => [exactly(path), valueOf(path)] as const).filter(([, value]) => value !== common),
    );
  const changed = {
    ...given,
    ...(kept.length < paths.length && { targetModules: kept.map(exactly).join('|') }),
    rankPattern: other((path) => ranks[path], given.rank),
    alphaPattern: other(alphaOf, given.alpha),
  };
  return changed as unknown as S;
}
