/**
 * The parts of each example that has any, in their order.
 *
 * @param examples the example of each part
 */
export function byExample<T>(examples: Uint32Array, part: (i: number) => T): Map<number, T[]> {
  const all = new Map<number, T[]>();
  examples.forEach((example, i) => {
    const known = all.get(example);
    if (known) known.push(part(i));
    else all.set(example, [part(i)]);
  });
  return all;
}
