import { DType } from '../../graph/dtype';
import type { Network } from './network';

/** The experts of a layer. */
export interface ExpertSize {
  hidden: number;
  /** Width of an expert. */
  inner: number;
  /** The number of experts. */
  experts: number;
  /** The number of experts for each token. */
  each: number;
}

/** The choice of experts. */
export interface Choice {
  /** The part that each of its experts has in a token's result: (tokens, each). */
  shares: string;
  /** int64 (tokens, each). */
  experts: string;
}

/**
 * The rows that each expert gets. They are sorted by expert, so that the parts of all experts together always have tokens · each
 * rows, and only the cuts between them depend on the data. The choice has no gradient; the gradients of rows are sorted back.
 */
export class Routing {
  /** int64 (tokens · each): the position in (tokens, each) of each sorted row. */
  private readonly order: string;
  /** The other way round: the sorted row of each position. */
  private readonly places: string;
  /** int64 (experts): the number of rows of each. */
  private readonly counts: string;

  constructor(
    private readonly net: Network,
    private readonly module: string,
    private readonly choice: Choice,
    private readonly size: ExpertSize,
  ) {
    const { g } = net;
    const chosen = net.op(module, 'Reshape', [choice.experts, g.ints([-1])]);
    const ones = net.op(module, 'Expand', [g.ints([1]), net.op(module, 'Shape', [chosen])]);
    this.order = sorting(net, module, chosen);
    this.places = sorting(net, module, this.order);
    const none = g.constant(DType.int64, [size.experts], new Array<number>(size.experts).fill(0));
    this.counts = net.op(module, 'ScatterElements', [none, chosen, ones], { axis: 0, reduction: 'add' });
  }

  /** The rows of x (tokens, hidden), sorted by expert: (tokens · each, hidden). */
  dealt(x: string): string {
    const { net, module, order, size } = this;
    const once = net.op(module, 'Unsqueeze', [x, net.g.ints([1])]);
    const many = net.op(module, 'Expand', [once, net.g.ints([1, size.each, 1])]);
    const rows = net.op(module, 'Reshape', [many, net.g.ints([-1, size.hidden])]);
    return net.op(module, 'Gather', [rows, order], { axis: 0 });
  }

  /**
   * The result of each expert for its rows of x (tokens · each, …), which are sorted by expert: as many rows. An expert may have
   * none.
   */
  byExpert(x: string, result: (rows: string, expert: number) => string): string {
    const { net, module, size, counts } = this;
    const parts = net.ops(module, 'Split', [x, counts], { axis: 0 }, size.experts);
    return net.op(module, 'Concat', parts.map(result), { axis: 0 });
  }

  /** The sum of each token's sorted rows (tokens · each, hidden), by its shares: (tokens, hidden). */
  mixed(y: string): string {
    const { net, module, places, size } = this;
    const rows = net.op(module, 'Gather', [y, places], { axis: 0 });
    const together = net.op(module, 'Reshape', [rows, net.g.ints([-1, size.each, size.hidden])]);
    const shares = net.op(module, 'Unsqueeze', [this.choice.shares, net.g.ints([-1])]);
    const parts = net.op(module, 'Mul', [together, shares]);
    return net.op(module, 'ReduceSum', [parts, net.g.ints([1])], { keepdims: 0 });
  }
}

/** The positions of the values of a vector, the smallest first: int64. */
function sorting(net: Network, module: string, values: string): string {
  const count = net.op(module, 'Shape', [values]);
  return net.ops(module, 'TopK', [values, count], { axis: 0, largest: 0 }, 2)[1];
}
