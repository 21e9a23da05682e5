/**
 * The numbers of so many bits in a row of 32-bit words, lowest bits first. A number of three bits may begin in one word and end in
 * the next.
 */
export function numbersIn(words: Uint32Array, bits: number, count: number): Uint8Array {
  const mask = 2 ** bits - 1;
  const out = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const at = i * bits;
    const [word, shift] = [at >>> 5, at & 31];
    const low = words[word] >>> shift;
    out[i] = (shift + bits > 32 ? low | (words[word + 1] << (32 - shift)) : low) & mask;
  }
  return out;
}

/** Words that are moved at a time: along the columns alone, each would have a cache line to itself. */
const TILE = 64;

/** A matrix of words (rows, columns) as (columns, rows). */
export function transposedWords(words: Uint32Array, rows: number, columns: number): Uint32Array {
  const out = new Uint32Array(words.length);
  for (let r0 = 0; r0 < rows; r0 += TILE)
    for (let c0 = 0; c0 < columns; c0 += TILE)
      for (let c = c0; c < Math.min(columns, c0 + TILE); c++)
        for (let r = r0; r < Math.min(rows, r0 + TILE); r++) out[c * rows + r] = words[r * columns + c];
  return out;
}

/** Writes numbers of 4 or 8 bits to bytes, the first in the lower half. */
export function packInto(target: Uint8Array, from: number, numbers: Uint8Array, bits: 4 | 8): void {
  if (bits === 8) return target.set(numbers, from);
  for (let i = 0; i < numbers.length; i += 2)
    target[from + i / 2] = numbers[i] | ((i + 1 < numbers.length ? numbers[i + 1] : 0) << 4);
}
