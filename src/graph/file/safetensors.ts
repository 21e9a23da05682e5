import { AuroraError } from '../../base/errors';
import { fromBfloat16, fromHalf } from '../number-formats';
import { nameTable, own } from '../../base/names';
import { readStored } from '../../files/read';

/**
 * The safetensors format: a little-endian 64-bit length, a JSON header of that many bytes, then the tensors' bytes
 * without gaps. Writes F32, and I32 and I64 for whole numbers; also reads F16 and BF16, which others' adapters may use.
 * https://huggingface.co/docs/safetensors (format section)
 */
export interface FloatTensor {
  dims: number[];
  data: Float32Array;
  /** Its type in the file, for whole numbers; F32 otherwise. */
  integers?: IntegerType;
}

export type IntegerType = 'I32' | 'I64';

/** Whole numbers up to this one are exact in float32. */
const EXACT = 2 ** 24;

export interface SafetensorsFile {
  tensors: Map<string, FloatTensor>;
  metadata: Record<string, string>;
}

/** The entry of one tensor in the header of a safetensors file. */
export interface HeaderEntry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/** Deterministic: names in code-unit order, header padded to 8 bytes with spaces. */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, FloatTensor>,
  metadata: Record<string, string> = {},
): Uint8Array {
  const names = [...tensors.keys()].sort();
  // No prototype, so that a tensor may be named __proto__.
  const header = nameTable<HeaderEntry | Record<string, string>>();
  if (Object.keys(metadata).length > 0)
    header.__metadata__ = Object.fromEntries(Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1)));
  let end = 0;
  for (const name of names) {
    const { dims, data, integers } = tensors.get(name)!;
    if (elements(dims) !== data.length)
      throw new RangeError(`${name} has ${data.length} values but the shape [${dims.join(', ')}].`);
    const dtype = integers ?? 'F32';
    header[name] = { dtype, shape: dims, data_offsets: [end, (end += TYPES[dtype].bytes * data.length)] };
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Math.ceil(json.length / 8) * 8;
  const out = new Uint8Array(8 + length + end);
  new DataView(out.buffer).setBigUint64(0, BigInt(length), true);
  out.fill(0x20, 8, 8 + length).set(json, 8);
  let at = 8 + length;
  for (const name of names) {
    const { data: values, integers } = tensors.get(name)!;
    const data = integers ? wholeNumbers(values, integers) : values;
    out.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return out;
}

/** The tensors, copied out of `bytes`. `where` names the file in errors (AuroraError `run`). */
export function decodeSafetensors(bytes: Uint8Array, where: string): SafetensorsFile {
  const fail = (why: string): never => {
    throw new AuroraError('run', `${where} is not a valid safetensors file: ${why}.`);
  };
  if (bytes.byteLength < 8) fail(`it has ${bytes.byteLength} bytes`);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const start = 8 + length;
  if (start > bytes.byteLength) fail('its header is cut off');
  const { __metadata__: metadata = {}, ...entries } = parseHeader(bytes.subarray(8, start), fail);
  if (!isStrings(metadata)) fail('its metadata values are not strings');
  const tensors = new Map<string, FloatTensor>();
  let expected = 0;
  for (const [name, entry] of Object.entries(entries).sort(byOffsets)) {
    if (!isHeaderEntry(entry)) fail(`the header's entry for ${name} is malformed`);
    const [from, to] = entry.data_offsets;
    const type =
      own(TYPES, entry.dtype) ??
      fail(`${name} has the type ${entry.dtype}, but only ${Object.keys(TYPES).join(', ')} are supported`);
    if (from !== expected || to - from !== type.bytes * elements(entry.shape))
      fail(`the bytes of ${name} do not match its shape`);
    if (start + to > bytes.byteLength) fail(`${name} is cut off`);
    const data = type.read(bytes.subarray(start + from, start + to));
    const integers = isInteger(entry.dtype) ? entry.dtype : undefined;
    if (integers && data.some((v) => Math.abs(v) > EXACT)) fail(`${name} has numbers above ${EXACT}`);
    tensors.set(name, { dims: entry.shape, data, ...(integers && { integers }) });
    expected = to;
  }
  if (start + expected !== bytes.byteLength) fail('it ends with bytes that belong to no tensor');
  return { tensors, metadata: metadata as Record<string, string> };
}

export const readSafetensors = (path: string): SafetensorsFile => decodeSafetensors(readStored(path), path);

const elements = (dims: readonly number[]): number => dims.reduce((n, d) => n * d, 1);

type Header = Record<string, HeaderEntry> & { __metadata__?: unknown };

function parseHeader(bytes: Uint8Array, fail: (why: string) => never): Header {
  try {
    const header: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    if (typeof header === 'object' && header !== null && !Array.isArray(header)) return header as Header;
  } catch {
    // Reported below.
  }
  return fail('its header is not a JSON object');
}

/** An empty tensor sorts before one that starts at the same byte. */
const byOffsets = ([, a]: [string, HeaderEntry], [, b]: [string, HeaderEntry]): number =>
  isHeaderEntry(a) && isHeaderEntry(b)
    ? a.data_offsets[0] - b.data_offsets[0] || a.data_offsets[1] - b.data_offsets[1]
    : 0;

const isStrings = (o: unknown): boolean =>
  typeof o === 'object' && o !== null && Object.values(o).every((v) => typeof v === 'string');

/** Copies: a Buffer's own `slice` would be a view of the whole file. */
const TYPES: Record<string, { bytes: number; read: (bytes: Uint8Array) => Float32Array }> = {
  F32: { bytes: 4, read: (bytes) => new Float32Array(Uint8Array.from(bytes).buffer) },
  F16: { bytes: 2, read: (bytes) => Float32Array.from(halves(bytes), fromHalf) },
  BF16: { bytes: 2, read: (bytes) => Float32Array.from(halves(bytes), fromBfloat16) },
  I32: { bytes: 4, read: (bytes) => Float32Array.from(new Int32Array(Uint8Array.from(bytes).buffer)) },
  I64: {
    bytes: 8,
    read: (bytes) => Float32Array.from(new BigInt64Array(Uint8Array.from(bytes).buffer), Number),
  },
};

const isInteger = (dtype: string): dtype is IntegerType => dtype === 'I32' || dtype === 'I64';

const wholeNumbers = (values: Float32Array, type: IntegerType): Int32Array | BigInt64Array =>
  type === 'I32' ? Int32Array.from(values) : BigInt64Array.from(values, BigInt);

const halves = (bytes: Uint8Array): Uint16Array => new Uint16Array(Uint8Array.from(bytes).buffer);

const isCount = (n: unknown): boolean => Number.isSafeInteger(n) && (n as number) >= 0;

/** True if it has a type, sizes, and the positions where the bytes begin and end. */
export function isHeaderEntry(entry: unknown): entry is HeaderEntry {
  const e = entry as HeaderEntry | null;
  return (
    typeof e?.dtype === 'string' &&
    Array.isArray(e.shape) &&
    e.shape.every(isCount) &&
    Array.isArray(e.data_offsets) &&
    e.data_offsets.length === 2 &&
    e.data_offsets.every(isCount) &&
    e.data_offsets[0] <= e.data_offsets[1]
  );
}
