const OTHERS = [null, [], {}, 7, 'text', true, [[[]]], { type: {} }] as const;

const typeOf = (v: unknown) => (Array.isArray(v) ? 'array' : v === null ? 'null' : typeof v);

/** A JSON value without each of its parts, and with each, and itself, replaced by values of other types. */
export function* variants(value: unknown, put: (changed: unknown) => unknown = (v) => v): Generator<unknown> {
  for (const other of OTHERS) if (typeOf(other) !== typeOf(value)) yield put(other);
  if (Array.isArray(value)) {
    if (value.length > 0)
      yield* variants(value[0], (changed) => put([changed, ...(value.slice(1) as unknown[])]));
  } else if (typeof value === 'object' && value !== null)
    for (const [key, part] of Object.entries(value)) {
      const rest = { ...value } as Record<string, unknown>;
      delete rest[key];
      yield put(rest);
      yield* variants(part, (changed) => put({ ...value, [key]: changed }));
    }
}
