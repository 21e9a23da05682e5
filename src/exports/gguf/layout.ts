/** The difference between a weight in a GGUF file and in PyTorch, where it is (out, in). */
export type Layout =
  | { kind: 'same' }
  /** The rows of each head are in another order: llama.cpp turns neighbors, transformers the two halves. */
  | { kind: 'permuted'; heads: number }
  /** Stored as (in, out) in PyTorch: GPT-2's Conv1D. */
  | { kind: 'transposed' }
  /** The file has 1 + weight: Gemma's norms. */
  | { kind: 'plus-one' };

/** Row `to` of a head in the file is row `from` in PyTorch (LlamaModel.permute in convert_hf_to_gguf.py). */
const rowOf = (to: number, width: number): number => (to % 2) * (width / 2) + Math.floor(to / 2);

/**
 * The rows of a projection to queries or keys in the order of the file.
 *
 * @param values (rows, …), row-major; for a bias (rows)
 * @param inverse from the file's order to PyTorch's
 */
export function permuteRows(
  values: Float32Array,
  rows: number,
  heads: number,
  inverse = false,
): Float32Array {
  const width = rows / heads;
  const size = values.length / rows;
  const out = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    const other = row - (row % width) + rowOf(row % width, width);
    const [from, to] = inverse ? [row, other] : [other, row];
    out.set(values.subarray(from * size, (from + 1) * size), to * size);
  }
  return out;
}

/** (rows, columns) as (columns, rows). */
export function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) out[c * rows + r] = values[r * columns + c];
  return out;
}

/** The shape in the file of a weight with these dimensions in PyTorch, and the other way round. */
export const dimsIn = (dims: readonly number[], { kind }: Layout): number[] =>
  kind === 'transposed' ? [...dims].reverse() : [...dims];

/** @param dims of the values in PyTorch */
export function toFile(values: Float32Array, dims: readonly number[], layout: Layout): Float32Array {
  switch (layout.kind) {
    case 'same':
      return values;
    case 'permuted':
      return permuteRows(values, dims[0], layout.heads);
    case 'transposed':
      return transposed(values, dims[0], dims[1]);
    case 'plus-one':
      return values.map((v) => v + 1);
  }
}

/** @param dims of the values in PyTorch */
export function fromFile(values: Float32Array, dims: readonly number[], layout: Layout): Float32Array {
  switch (layout.kind) {
    case 'same':
      return values;
    case 'permuted':
      return permuteRows(values, dims[0], layout.heads, true);
    case 'transposed':
      return transposed(values, dims[1], dims[0]);
    case 'plus-one':
      return values.map((v) => v - 1);
  }
}
