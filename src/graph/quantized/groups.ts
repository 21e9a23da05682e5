/**
 * The indices of the values that share a scale, in DequantizeLinear's layout: one scale for all, one for each index of an
 * axis, or one for each block along it.
 */
export function* groupsOf(
  dims: readonly number[],
  scales: number,
  axis: number,
  blockSize: number,
): Generator<[group: number, indices: Uint32Array]> {
  const along = axis < 0 ? axis + dims.length : axis;
  const size = dims[along] ?? 1;
  const inner = dims.slice(along + 1).reduce((a, b) => a * b, 1);
  const outer = dims.slice(0, along).reduce((a, b) => a * b, 1);
  const count = dims.reduce((a, b) => a * b, 1);
  if (scales === 1) yield [0, Uint32Array.from({ length: count }, (_, i) => i)];
  else if (blockSize === 0)
    for (let at = 0; at < size; at++)
      yield [
        at,
        Uint32Array.from(
          { length: outer * inner },
          (_, k) => (Math.floor(k / inner) * size + at) * inner + (k % inner),
        ),
      ];
  else {
    const blocks = Math.ceil(size / blockSize);
    for (let group = 0; group < outer * blocks * inner; group++) {
      const [o, block] = [Math.floor(group / (blocks * inner)), Math.floor(group / inner) % blocks];
      const from = block * blockSize;
      const length = Math.min(blockSize, size - from);
      yield [group, Uint32Array.from({ length }, (_, k) => (o * size + from + k) * inner + (group % inner))];
    }
  }
}
