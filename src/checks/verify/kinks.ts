import type { HostTensors } from '../../engine/stepper';
import type { VerifyKinks } from '../../protocol/verification';
import { tensorsOf, type ForwardSide } from './first-difference';

/** Operators whose gradient jumps at 0. */
const KINKED: ReadonlySet<string> = new Set(['Relu', 'LeakyRelu', 'PRelu', 'Abs']);

/** Number of these operators' inputs to output at a time. */
const AT_ONCE = 8;

export interface Kinks {
  /** Values above 0 on one side only. */
  values: number;
  operators: Set<string>;
  /** Batch positions of the texts that contain them. */
  texts: Set<number>;
}

/**
 * Finds values so near the kink of an operator that rounding decides which side of it they are on. If the two sides
 * round them differently, their gradients rightly differ.
 *
 * @param feeds inputs, labels, masks and trainable tensors
 * @param examples in the batch, which is each tensor's first axis, or the slower part of it
 * @param folder for the graphs; the caller removes it
 */
export async function findKinks(
  sides: readonly [ForwardSide, ForwardSide],
  feeds: HostTensors,
  examples: number,
  folder: string,
): Promise<Kinks> {
  const { nodes } = sides[0].model.graph;
  const computed = new Set(nodes.flatMap((n) => n.outputs));
  const kinked = nodes.filter((n) => KINKED.has(n.opType) && computed.has(n.inputs[0]));
  const found: Kinks = { values: 0, operators: new Set(), texts: new Set() };
  for (let from = 0; from < kinked.length; from += AT_ONCE) {
    const part = kinked.slice(from, from + AT_ONCE);
    const names = [...new Set(part.map((n) => n.inputs[0]))];
    const [a, b] = [
      await tensorsOf(sides[0], names, feeds, folder),
      await tensorsOf(sides[1], names, feeds, folder),
    ];
    for (const { opType, inputs } of part) {
      const [x, y] = [a[inputs[0]], b[inputs[0]]];
      const each = x.data.length / examples;
      for (let i = 0; i < x.data.length; i++) {
        if (x.data[i] > 0 === y.data[i] > 0) continue;
        found.values++;
        found.operators.add(opType);
        if (x.dims[0] % examples === 0) found.texts.add(Math.floor(i / each));
      }
    }
  }
  return found;
}

/** For several rounds; undefined if there are none. */
export function kinksLine(rounds: readonly Kinks[], of: number): VerifyKinks | undefined {
  const texts = new Set(rounds.flatMap((k) => [...k.texts]));
  if (texts.size === 0) return undefined;
  return {
    kind: 'kinks',
    values: rounds.reduce((n, k) => n + k.values, 0),
    operators: [...new Set(rounds.flatMap((k) => [...k.operators]))],
    texts: [...texts].sort((a, b) => a - b),
    of,
  };
}

/** A batch without some of its texts. */
export function without(inputs: HostTensors, texts: readonly number[], of: number): HostTensors {
  const keep = [...Array(of).keys()].filter((i) => !texts.includes(i));
  return Object.fromEntries(
    Object.entries(inputs).map(([name, t]) => {
      if (t.dims[0] !== of) return [name, t];
      const each = t.data.length / of;
      // A copy of the same type, with the remaining rows moved up.
      const data = t.data.slice(0, keep.length * each);
      keep.forEach((from, to) =>
        data.set(t.data.subarray(from * each, (from + 1) * each) as never, to * each),
      );
      return [name, { ...t, dims: [keep.length, ...t.dims.slice(1)], data }];
    }),
  );
}
