import { ownValues } from '../adapters/merge';
import type { AdapterTensor } from '../adapters/methods/method';
import { methodOf } from '../adapters/methods/registry';
import type { LayerAdapter } from '../adapters/targets/select';
import { AuroraError } from '../base/errors';
import type { TrainedSpec } from '../experiment/methods';
import type { FloatTensor } from '../graph/file/safetensors';
import { pytorchPathOf } from '../graph/layers/linear';

/** PEFT's setting: by module and key, which of the ranks at the start the file still has. */
export const RANK_PATTERN = 'rank_pattern';

/** True for each rank of an adapter that is in use; undefined if its method cannot switch any off. */
export function usedRanks(
  adapter: LayerAdapter,
  parameters: ReadonlyMap<string, Float32Array>,
): boolean[] | undefined {
  return methodOf(adapter.spec).peft.ranks?.used(ownValues(adapter, parameters));
}

/**
 * The ranks that a file of these adapters has, by layer path; undefined if it has all, as before any was switched off and
 * before training, when none is in use.
 */
export function ranksInFile(
  adapters: readonly LayerAdapter[],
  parameters: ReadonlyMap<string, Float32Array>,
): Map<string, boolean[]> | undefined {
  const used = new Map<string, boolean[]>();
  for (const a of adapters) {
    const own = usedRanks(a, parameters);
    if (own) used.set(a.layer.path, own);
  }
  const flags = [...used.values()].flat();
  return flags.every(Boolean) || !flags.includes(true) ? undefined : used;
}

/** The value of `rank_pattern`. */
export const rankPatternOf = (
  adapters: readonly LayerAdapter[],
  ranks: ReadonlyMap<string, boolean[]>,
): Record<string, boolean[]> =>
  Object.fromEntries(
    adapters.flatMap(({ layer, spec }) => {
      const own = ranks.get(layer.path);
      return own ? [[`${pytorchPathOf(layer)}.${methodOf(spec).peft.ranks!.key}`, own]] : [];
    }),
  );

/** A tensor without the ranks that are not in use. */
export function withoutUnused(
  { dims, rankAxes }: Pick<AdapterTensor, 'dims' | 'rankAxes'>,
  data: Float32Array,
  used: readonly boolean[] | undefined,
): FloatTensor {
  if (!used) return { dims, data };
  const kept = data.filter((_, at) => used[rankAt(at, dims, rankAxes[0])]);
  const left = used.filter(Boolean).length;
  return { dims: dims.map((size, axis) => (axis === rankAxes[0] ? left : size)), data: kept };
}

/** The inverse of `withoutUnused`: zeros for the ranks that the file lacks. */
function withUnused(
  { dims, rankAxes }: AdapterTensor,
  { data }: FloatTensor,
  used: readonly boolean[],
): FloatTensor {
  const all = new Float32Array(dims.reduce((a, b) => a * b, 1));
  let next = 0;
  for (let at = 0; at < all.length; at++) if (used[rankAt(at, dims, rankAxes[0])]) all[at] = data[next++];
  return { dims, data: all };
}

/** The position along an axis of the element at a position in row-major order. */
const rankAt = (at: number, dims: readonly number[], axis: number): number =>
  Math.floor(at / dims.slice(axis + 1).reduce((a, b) => a * b, 1)) % dims[axis];

/**
 * A module's tensors as a file has them, by their keys, with zeros for the ranks that it lacks.
 *
 * @param path of the module in the file
 * @param at the file, for errors
 * @throws AuroraError 'adapter' where `rank_pattern` and the tensors contradict each other
 */
export function withAllRanks(
  at: string,
  config: Readonly<Record<string, unknown>>,
  path: string,
  own: ReadonlyMap<string, FloatTensor>,
  { spec, tensors }: Pick<LayerAdapter, 'spec' | 'tensors'>,
): Map<string, FloatTensor> {
  const { ranks } = methodOf(spec).peft;
  const pattern = ranks && (config[RANK_PATTERN] as Record<string, unknown> | null | undefined);
  const used = pattern?.[`${path}.${ranks!.key}`];
  if (used === undefined) return new Map(own);
  const rank = (spec as TrainedSpec & { rank: number }).rank;
  if (!Array.isArray(used) || used.length !== rank || !used.every((v) => typeof v === 'boolean'))
    throw misfit(at, `${RANK_PATTERN} has no list of ${rank} true or false for ${path}`);
  const left = used.filter(Boolean).length;
  return new Map(
    Array.from(own, ([key, tensor]) => {
      const like = tensors.find((t) => t.peftName === key);
      if (!like) return [key, tensor];
      const size = tensor.dims[like.rankAxes[0]];
      // Uncut, as in the checkpoints of PEFT's own training.
      if (size === rank) return [key, tensor];
      if (size !== left)
        throw misfit(at, `${path}.${key} has ${size} ranks, and ${RANK_PATTERN} keeps ${left} of ${rank}`);
      return [key, withUnused(like, tensor, used as boolean[])];
    }),
  );
}

const misfit = (at: string, what: string): AuroraError =>
  new AuroraError(
    'adapter',
    `${at}: ${what}.`,
    'Copy adapter_config.json and adapter_model.safetensors again, from one save.',
  );

/** The numbers of ranks in use, by layer path; undefined for a method that switches none off. */
export function rankCounts(
  adapters: readonly LayerAdapter[],
  parameters: ReadonlyMap<string, Float32Array>,
): Record<string, number> | undefined {
  const counts = adapters.flatMap((a) => {
    const used = usedRanks(a, parameters);
    return used ? [[a.layer.path, used.filter(Boolean).length] as const] : [];
  });
  return counts.length > 0 ? Object.fromEntries(counts) : undefined;
}
