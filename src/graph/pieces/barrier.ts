import type { GraphBuilder } from '../builder';
import { DType } from '../dtype';

/** A WebGPU shader can bind only a few storage buffers. */
const AT_ONCE = 6;

/**
 * Delays a computation: `pass(x)` is bitwise equal to x, but is available only once every tensor of `after` has been
 * computed. It selects between x and x by one element of each tensor, which no runtime can fold and which works for any
 * value; adding 0 · element would turn an infinite gradient into NaN everywhere.
 */
export class Barrier {
  private readonly condition: string;
  private readonly passed = new Map<string, string>();

  constructor(
    private readonly g: GraphBuilder,
    after: readonly string[],
    mayBeEmpty = false,
  ) {
    const flat = (t: string) => g.op('Reshape', [t, g.ints([-1])]);
    // No element can be gathered from the rows of an expert that no token has.
    if (after.length === 1 && !mayBeEmpty) {
      const first = g.op('Gather', [flat(after[0]), g.scalar(0, DType.int64)]);
      this.condition = g.op('Cast', [first], { to: DType.bool });
      return;
    }
    let elements = after.map((t) => {
      const first = g.op('Slice', [flat(t), g.ints([0]), g.ints([1]), g.ints([0])]);
      return g.op('Cast', [first], { to: DType.float });
    });
    while (elements.length > 1)
      elements = chunks(elements).map((c) => (c.length > 1 ? g.op('Concat', c, { axis: 0 }) : c[0]));
    const sum = g.op('ReduceSum', [elements[0], g.ints([0])], { keepdims: 0 });
    this.condition = g.op('Cast', [sum], { to: DType.bool });
  }

  pass(x: string): string {
    const known = this.passed.get(x) ?? this.g.op('Where', [this.condition, x, x]);
    this.passed.set(x, known);
    return known;
  }
}

const chunks = (list: readonly string[]): string[][] =>
  Array.from({ length: Math.ceil(list.length / AT_ONCE) }, (_, i) =>
    list.slice(i * AT_ONCE, (i + 1) * AT_ONCE),
  );
