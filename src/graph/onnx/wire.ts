import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/**
 * The parts of protobuf's wire format that ONNX uses, on top of a well-maintained reader and writer: one callback per
 * field. Fields without a callback are kept unchanged, so that a saved model loses nothing.
 */
export type FieldHandler = (r: BinaryReader, wire: WireType) => void;

/** Calls `fields[no]` for each known field of the message; returns the others as raw bytes (tag included). */
export function readMessage(bytes: Uint8Array, fields: Record<number, FieldHandler>): Uint8Array[] {
  const r = new BinaryReader(bytes);
  const unknown: Uint8Array[] = [];
  while (r.pos < r.len) {
    const start = r.pos;
    const [no, wire] = r.tag();
    // ONNX has no groups, which could be nested without limit.
    if (wire === WireType.StartGroup) throw new Error(`field ${no} is a group`);
    const handler = fields[no];
    if (handler) handler(r, wire);
    else {
      r.skip(wire, no);
      unknown.push(bytes.slice(start, r.pos));
    }
  }
  return unknown;
}

export const safeInt = (v: string | number | bigint): number | bigint => {
  const n = Number(v);
  return Number.isSafeInteger(n) ? n : BigInt(v);
};

/** A StringStringEntryProto. */
export function decodeStringPair(bytes: Uint8Array): [string, string] {
  let key = '';
  let value = '';
  readMessage(bytes, { 1: (r) => (key = r.string()), 2: (r) => (value = r.string()) });
  return [key, value];
}

/** A repeated scalar, packed or not. */
export function repeated<T>(into: T[], one: (r: BinaryReader) => T): FieldHandler {
  return (r, wire) => {
    if (wire !== WireType.LengthDelimited) {
      into.push(one(r));
      return;
    }
    const end = r.uint32() + r.pos;
    while (r.pos < end) into.push(one(r));
  };
}

export function writeUnknown(w: BinaryWriter, unknown: Uint8Array[] | undefined): void {
  for (const raw of unknown ?? []) w.raw(raw);
}

export function writeMessage(w: BinaryWriter, no: number, bytes: Uint8Array): void {
  w.tag(no, WireType.LengthDelimited).bytes(bytes);
}

export function writeString(w: BinaryWriter, no: number, value: string): void {
  if (value !== '') w.tag(no, WireType.LengthDelimited).string(value);
}

export function writeInt(w: BinaryWriter, no: number, value: number | bigint): void {
  w.tag(no, WireType.Varint).int64(value.toString());
}

export { BinaryReader, BinaryWriter, WireType };
