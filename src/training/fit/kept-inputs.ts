import { constantDirections, MOST_INPUTS } from '../../adapters/fit/constant-direction';
import type { HostTensor } from '../../engine/stepper';
import type { LayerGroup } from './fit-graph';

/** Bytes of the inputs of all layers; of wide or many layers, fewer than MOST_INPUTS are kept of each. */
const MOST_BYTES = 2 ** 29;

/** Inputs x of each group of layers, evenly spread over the tokens that run. */
export class KeptInputs {
  private readonly most: number;
  private readonly kept = new Map<LayerGroup, { values: Float32Array; count: number; every: number }>();

  /** @param tokens that are expected of each layer */
  constructor(groups: readonly LayerGroup[], tokens: number) {
    const bytes = groups.reduce((n, { width }) => n + width * Float32Array.BYTES_PER_ELEMENT, 0);
    this.most = Math.max(1, Math.min(MOST_INPUTS, Math.floor(MOST_BYTES / bytes)));
    for (const group of groups)
      this.kept.set(group, {
        values: new Float32Array(this.most * group.width),
        count: 0,
        every: this.everyOf(tokens),
      });
  }

  /** The distance of the inputs that are still needed; undefined once there are enough. */
  every(group: LayerGroup): number | undefined {
    const { count, every } = this.kept.get(group)!;
    return count < this.most ? every : undefined;
  }

  /** A group has turned out to have this many tokens in all. */
  expect(group: LayerGroup, tokens: number): void {
    this.kept.get(group)!.every = this.everyOf(tokens);
  }

  /**
   * @param every the distance with which they were read
   * @param counts true for a token that is not padding
   */
  add(group: LayerGroup, { data }: HostTensor, every: number, counts: (token: number) => boolean): void {
    const { width } = group;
    const kept = this.kept.get(group)!;
    for (let row = 0; row * width < data.length && kept.count < this.most; row++) {
      if (!counts(row * every)) continue;
      const x = (data as Float32Array).subarray(row * width, (row + 1) * width);
      kept.values.set(x, kept.count++ * width);
    }
  }

  /** Vectors v with vᵀx ≈ 1 for a group; its inputs are then forgotten. */
  directions(group: LayerGroup): Float32Array[] {
    const { values, count } = this.kept.get(group)!;
    this.kept.delete(group);
    const found = constantDirections(values.subarray(0, count * group.width), group.width);
    return [...found, ...(group.exact ? [group.exact] : [])];
  }

  /** Odd, so that in texts padded to an even length it does not meet the same positions again and again. */
  private everyOf(tokens: number): number {
    const every = Math.max(1, Math.floor(tokens / this.most));
    return every % 2 === 0 ? every - 1 : every;
  }
}
