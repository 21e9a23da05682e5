import { DType } from '../../graph/dtype';
import type { AttentionShape } from './attention';
import type { Network } from './network';
import { counted, integers } from './text';

/**
 * The inputs and outputs of a key/value cache, with Optimum's names: position_ids, and for each layer the keys and values of
 * earlier tokens. The mask is that of earlier and new tokens.
 */
export class Past {
  /** int64 (batch, sequence): of new tokens. */
  readonly places: string;
  /** The slots of earlier and new tokens, which do not depend on their places: int64 (slots). */
  readonly slots: string;
  /** The slots of new tokens: int64 (sequence). */
  readonly newSlots: string;

  /**
   * @param mask int64 (batch, slots)
   * @param rows a vector tensor: (batch, sequence)
   */
  constructor(
    private readonly net: Network,
    mask: string,
    rows: string,
  ) {
    this.places = integers(net, 'position_ids');
    this.slots = counted(net, net.op('', 'Shape', [mask]));
    const length = net.op('', 'Slice', [rows, net.g.ints([1]), net.g.ints([2])]);
    const from = net.op('', 'Neg', [length]);
    this.newSlots = net.op('', 'Slice', [this.slots, from, net.g.ints([2 ** 31]), net.g.ints([0])]);
  }

  /**
   * A function that puts the keys and values of earlier tokens in front of a layer's, and names them all as outputs.
   */
  of(layer: number, heads: number, width: number): NonNullable<AttentionShape['extend']> {
    const { net } = this;
    return (x, what) => {
      const past = net.g.addInput(`past_key_values.${layer}.${what}`, DType.float, [
        'batch',
        heads,
        'past_sequence',
        width,
      ]);
      const all = net.op(`cache.${layer}`, 'Concat', [past, x], { axis: 2 });
      net.output(`present.${layer}.${what}`, all, ['batch', heads, 'slots', width]);
      return all;
    };
  }
}
