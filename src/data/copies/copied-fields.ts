import type { DataRecord } from '../../table/records';

/** Bytes in JSON: how many there are. They follow the line, in the order of the columns. */
const BYTES = '$bytes';
const NEWLINE = 0x0a;

/** A record as it is copied: a line of JSON, and the bytes that it has. @param wanted columns */
export function copyOf(record: DataRecord, wanted: readonly string[]): Buffer {
  const fields = 'fields' in record ? wanted.map((name) => [name, record.fields.get(name)] as const) : [];
  const following: Uint8Array[] = [];
  const line = JSON.stringify(Object.fromEntries(fields), (_, value: unknown) => {
    if (value instanceof Uint8Array) return { [BYTES]: following.push(value) && value.length };
    // JSON has no other numbers; a text or label is equal to a string.
    return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
  });
  return Buffer.concat([Buffer.from(`${line}\n`), ...following]);
}

/** The fields of a copied row. Their bytes are views of `copy`. */
export function fieldsIn(copy: Buffer): object {
  const end = copy.indexOf(NEWLINE);
  let at = end + 1;
  return JSON.parse(copy.toString('utf8', 0, end), (_, value: unknown) => {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, BYTES)) return value;
    const start = at;
    at += Number((value as { [BYTES]: number })[BYTES]);
    return copy.subarray(start, at);
  }) as object;
}
