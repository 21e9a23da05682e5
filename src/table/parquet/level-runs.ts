/** Values of bit-packed runs come in groups of eight, and writers may end with some groups too many. */
const PADDING = 512;

/**
 * Checks runs of the hybrid of run lengths and bit packing: none may state more values than are left, since the library
 * writes as many as a run states.
 *
 * @param width bits of a value
 * @param count values that the runs have together
 * @param counted a value
 * @returns the number of times that value occurs
 * @throws Error for damaged ones
 */
export function checkRuns(
  bytes: Uint8Array,
  start: number,
  width: number,
  count: number,
  counted?: number,
): number {
  if (width > 32) throw new Error(`values of ${width} bits`);
  const reader = new Varints(bytes, start);
  let found = 0;
  for (let seen = 0; seen < count;) {
    const header = reader.next();
    const packed = (header & 1) === 1;
    const values = packed ? (header >> 1) << 3 : header >>> 1;
    const left = count - seen;
    if (values < 0 || values > left + (packed ? PADDING : 0))
      throw new Error(`a run of ${values >>> 0} values where ${left} are left`);
    if (counted !== undefined && values > 0) {
      const equals = (n: number) => packedAt(bytes, reader.at, n * width, width) === counted;
      if (!packed) found += byteAt(bytes, reader.at) === counted ? values : 0;
      else for (let n = 0; n < Math.min(values, left); n++) if (equals(n)) found++;
    }
    seen += values;
    // The library takes at least one byte.
    reader.at += packed ? Math.max(1, (values / 8) * width) : (width + 7) >> 3;
  }
  return found;
}

/**
 * Checks delta-encoded integers: their numbers end and their blocks have a possible size.
 *
 * @param read gets each integer, of 32 bits
 * @returns the position where they end
 */
export function checkDeltas(
  bytes: Uint8Array,
  start: number,
  count: number,
  read?: (value: number) => void,
): number {
  const reader = new Varints(bytes, start);
  const size = reader.next();
  const blocks = reader.next();
  reader.next();
  const each = size / blocks;
  if (!(blocks > 0 && blocks <= 2 ** 12 && size <= 2 ** 20 && each >= 8 && each % 8 === 0))
    throw new Error(`blocks of ${size} values in ${blocks} parts`);
  let value = reader.zigzag();
  let left = count - 1;
  if (left >= 0) read?.(value);
  while (left > 0) {
    const least = reader.zigzag();
    const widths = reader.at;
    reader.at += blocks;
    for (let i = 0; i < blocks && left > 0; i++) {
      const width = byteAt(bytes, widths + i);
      if (width > 64) throw new Error(`values of ${width} bits`);
      if (read)
        for (let n = 0; n < Math.min(each, left); n++) {
          value = (value + least + packedAt(bytes, reader.at, n * width, width)) | 0;
          read(value);
        }
      reader.at += (each * width) / 8;
      left -= each;
    }
  }
  return reader.at;
}

/** The low 32 bits of a bit-packed value. */
function packedAt(bytes: Uint8Array, start: number, bit: number, width: number): number {
  let value = 0;
  for (let read = 0; read < Math.min(32, width);) {
    const offset = (bit + read) & 7;
    const take = Math.min(8 - offset, width - read);
    const part = (byteAt(bytes, start + ((bit + read) >> 3)) >>> offset) & ((1 << take) - 1);
    value |= part << read;
    read += take;
  }
  return value;
}

function byteAt(bytes: Uint8Array, at: number): number {
  const byte = bytes[at];
  if (byte === undefined) throw new Error('its values are cut off');
  return byte;
}

/** Numbers of variable length. */
class Varints {
  constructor(
    private readonly bytes: Uint8Array,
    public at: number,
  ) {}

  /** The next number of at most five bytes, as 32 bits. */
  next(): number {
    return this.read(5);
  }

  /** The low 32 bits of a number with a sign, of at most ten bytes. */
  zigzag(): number {
    const start = this.at;
    const low = this.read(10);
    const high = this.at - start >= 5 ? (byteAt(this.bytes, start + 4) >>> 4) & 1 : 0;
    return ((low >>> 1) | (high << 31)) ^ -(low & 1);
  }

  private read(most: number): number {
    let value = 0;
    for (let i = 0; i < most; i++) {
      const byte = byteAt(this.bytes, this.at++);
      if (i < 5) value |= (byte & 127) << (7 * i);
      if (byte < 128) return value;
    }
    throw new Error('a number does not end');
  }
}
