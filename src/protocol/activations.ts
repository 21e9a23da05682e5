/**
 * An activation snapshot: inputs and outputs of each adapter's nonlinearity at one step. One small, self-describing
 * file per step (activations/step-000120.bin):
 *
 *   "AURA" · version u32 · header length u32 · header (JSON, UTF-8, padded to 8) · numbers
 *
 * For every layer, the header gives the position of its numbers: offsets and lengths in 4-byte words of the last part.
 * Counts and sample ids are uint32, tensors float32; all little-endian.
 */
const SNAPSHOT_VERSION = 1;
/** Maximum number of (example, token) ids kept per bin. */
export const SAMPLES_PER_BIN = 4;

export interface LayerSnapshot {
  path: string;
  rank: number;
  /** Histogram range of z; bin 0 counts values below it, the last bin values above. */
  range: [number, number];
  bins: number;
  /** Number of values of z: one for every coordinate of every real token. */
  tokens: number;
  /** counts[coordinate * (bins + 2) + bin]. */
  counts: Uint32Array;
  /** The least and largest z of every coordinate; absent if no token passed the layer. */
  low?: number[];
  high?: number[];
  /** For every coordinate, the exact count of z outside the spline's support; absent without a spline. */
  outside?: number[];
  /**
   * A few samples from each bin: samples[(coordinate * (bins + 2) + bin) * SAMPLES_PER_BIN * 2 + 2 k] is the example,
   * the next the token; NO_SAMPLE if there are fewer.
   */
  samples: Uint32Array;
  /**
   * H (rank × rank) and W (rank × (gridSize + splineOrder), with a spline per pair rank × rank × (gridSize + splineOrder));
   * empty if the method has none.
   */
  H: Float32Array;
  W: Float32Array;
}

export interface Snapshot {
  step: number;
  layers: LayerSnapshot[];
}

export const NO_SAMPLE = 0xffffffff;

type Header = {
  step: number;
  layers: (Omit<LayerSnapshot, 'counts' | 'samples' | 'H' | 'W'> & Record<Part, [number, number]>)[];
};
type Part = 'counts' | 'samples' | 'H' | 'W';

export function encodeSnapshot(snapshot: Snapshot): Uint8Array {
  const arrays: (Uint32Array | Float32Array)[] = [];
  let words = 0;
  const place = (a: Uint32Array | Float32Array): [number, number] => {
    arrays.push(a);
    words += a.length;
    return [words - a.length, a.length];
  };
  const header: Header = {
    step: snapshot.step,
    layers: snapshot.layers.map(({ counts, samples, H, W, ...plain }) => ({
      ...plain,
      counts: place(counts),
      samples: place(samples),
      H: place(H),
      W: place(W),
    })),
  };
  let json = JSON.stringify(header);
  while ((12 + new TextEncoder().encode(json).length) % 8) json += ' ';
  const text = new TextEncoder().encode(json);
  const out = new Uint8Array(12 + text.length + 4 * words);
  const view = new DataView(out.buffer);
  out.set(new TextEncoder().encode('AURA'));
  view.setUint32(4, SNAPSHOT_VERSION, true);
  view.setUint32(8, text.length, true);
  out.set(text, 12);
  let at = 12 + text.length;
  for (const a of arrays) {
    out.set(new Uint8Array(a.buffer, a.byteOffset, a.byteLength), at);
    at += a.byteLength;
  }
  return out;
}

/** @throws Error if the bytes are not a complete snapshot of this version */
export function decodeSnapshot(bytes: Uint8Array): Snapshot {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || new TextDecoder().decode(bytes.subarray(0, 4)) !== 'AURA')
    throw new Error('not an activation snapshot');
  if (view.getUint32(4, true) !== SNAPSHOT_VERSION)
    throw new Error(`snapshot version ${view.getUint32(4, true)} is not supported`);
  const length = view.getUint32(8, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(12, 12 + length))) as Header;
  // Copied, so that the numbers are aligned.
  const numbers = new Uint8Array(bytes.subarray(12 + length)).buffer;
  const words = Math.floor(numbers.byteLength / 4);
  const part = <T>(
    Type: new (b: ArrayBufferLike, o: number, n: number) => T,
    [offset, n]: [number, number],
  ): T => {
    if (offset + n > words) throw new Error('the snapshot is truncated');
    return new Type(numbers, offset * 4, n);
  };
  const layers = header.layers.map((l) => ({
    ...l,
    counts: part(Uint32Array, l.counts),
    samples: part(Uint32Array, l.samples),
    H: part(Float32Array, l.H),
    W: part(Float32Array, l.W),
  }));
  return { step: header.step, layers };
}
