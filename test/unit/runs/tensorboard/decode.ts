/** Reads event files as the published formats say, independently of what writes them. */

/** CRC-32C bit by bit: polynomial 0x1EDC6F41, input and output reflected. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffffn;
  for (const byte of bytes)
    for (let bit = 0n; bit < 8n; bit++) {
      const mixed = (crc ^ (BigInt(byte) >> bit)) & 1n;
      crc = (crc >> 1n) ^ (mixed ? 0x82f63b78n : 0n);
    }
  return Number(crc ^ 0xffffffffn);
}

const masked = (crc: number): number =>
  Number((((BigInt(crc) >> 15n) | (BigInt(crc) << 17n)) + 0xa282ead8n) & 0xffffffffn);

/** The data of each record. Throws if a checksum is wrong. */
export function recordsOf(file: Buffer): Buffer[] {
  const records: Buffer[] = [];
  for (let at = 0; at < file.length;) {
    const length = Number(file.readBigUInt64LE(at));
    const data = file.subarray(at + 12, at + 12 + length);
    const sums = [file.readUInt32LE(at + 8), file.readUInt32LE(at + 12 + length)];
    const right = [file.subarray(at, at + 8), data].map((bytes) => masked(crc32c(bytes)));
    if (sums.join() !== right.join()) throw new Error(`Wrong checksum at ${at}.`);
    records.push(data);
    at += 16 + length;
  }
  return records;
}

export type Field = number | bigint | Buffer;

/** The fields of a message by number, each with all its values. */
export function fieldsOf(message: Buffer): Map<number, Field[]> {
  const fields = new Map<number, Field[]>();
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[at++]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const key = Number(varint());
    const [number, type] = [key >> 3, key & 7];
    let value: Field;
    if (type === 0) value = varint();
    else if (type === 1) [value, at] = [message.readDoubleLE(at), at + 8];
    else if (type === 5) [value, at] = [message.readFloatLE(at), at + 4];
    else if (type === 2) {
      const length = Number(varint());
      [value, at] = [message.subarray(at, at + length), at + length];
    } else throw new Error(`Wire type ${type}.`);
    fields.set(number, [...(fields.get(number) ?? []), value]);
  }
  return fields;
}

export interface DecodedEvent {
  time: number;
  step: number;
  version?: string;
  values: { tag: string; value?: number; plugin?: { name: string; content: Buffer } }[];
}

/** Event and Summary of tensorboard/compat/proto. */
export const eventsOf = (file: Buffer): DecodedEvent[] =>
  recordsOf(file).map((record) => {
    const event = fieldsOf(record);
    const [summary] = event.get(5) ?? [];
    const values = summary ? (fieldsOf(summary as Buffer).get(1) ?? []) : [];
    const version = event.get(3)?.[0];
    return {
      time: event.get(1)![0] as number,
      step: Number(event.get(2)?.[0] ?? 0),
      ...(version !== undefined && { version: String(version as Buffer) }),
      values: values.map((bytes) => {
        const value = fieldsOf(bytes as Buffer);
        const metadata = value.get(9)?.[0];
        const plugin = metadata && fieldsOf(fieldsOf(metadata as Buffer).get(1)![0] as Buffer);
        return {
          tag: String(value.get(1)![0] as Buffer),
          ...(value.has(2) && { value: value.get(2)![0] as number }),
          ...(plugin && {
            plugin: { name: String(plugin.get(1)![0] as Buffer), content: plugin.get(2)![0] as Buffer },
          }),
        };
      }),
    };
  });
