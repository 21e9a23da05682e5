import { switchedProducts } from '../../../graph/int8/switched-products';
import type { ExactInputs } from '../../../graph/int8/int8-products';
import type { Int8Weight } from '../../../graph/int8/weights-file';
import type { Model } from '../../../graph/model';
import { DType } from '../../../graph/dtype';
import { leastCosine, type Gradients } from './agreement';
import { gradientsOf, whileOpen, type Judge } from './judge';

/** Each costs a step on the judged batch. */
const GROUPS = 16;

/**
 * Groups of neighboring layers, in the order in which their forward pass is to stay in float32 until the gradients agree:
 * those first whose rounding alone changes the gradients most. A product's own rounding error does not say that: an early
 * layer's passes through the whole model, and where ReLUs follow, it moves values across their kink.
 *
 * @param forward the weight of each layer's forward product, in order
 * @param agreement a cosine that is enough
 * @returns the groups, and how many of them seem to be enough
 */
export async function worstFirst(
  step: Model,
  weights: ReadonlyMap<string, Int8Weight>,
  forward: readonly string[],
  exactInputs: ExactInputs,
  judge: Judge,
  exact: Gradients,
  agreement: number,
): Promise<{ groups: string[][]; enough: number }> {
  const { model, switches } = switchedProducts(step, weights, new Set(forward), exactInputs);
  const size = Math.ceil(forward.length / GROUPS);
  const groups = Array.from({ length: Math.ceil(forward.length / size) }, (_, i) =>
    forward.slice(i * size, (i + 1) * size),
  );
  return whileOpen(judge, model, async (opened) => {
    const cosine = async (rounded: ReadonlySet<string>) => {
      const more = Object.fromEntries(
        [...switches].map(([key, input]) => [
          input,
          { dtype: DType.bool, dims: [], data: Uint8Array.of(rounded.has(key) ? 1 : 0) },
        ]),
      );
      // NaN is the worst.
      return leastCosine(exact, await gradientsOf(judge, opened, more)) || -1;
    };
    const alone = new Map<string[], number>();
    for (const group of groups) alone.set(group, await cosine(new Set(group)));
    const sorted = groups.toSorted((a, b) => alone.get(a)! - alone.get(b)!);
    // Always fewer than all: whether the backward pass alone is tolerated, the caller finds out.
    let [few, enough] = [0, sorted.length];
    while (enough - few > 1) {
      const half = (few + enough) >> 1;
      if ((await cosine(new Set(sorted.slice(half).flat()))) >= agreement) enough = half;
      else few = half;
    }
    return { groups: sorted, enough };
  });
}
