/** A JSON line of `aurora … --json`; undefined for what is none, or of a kind that is not known. */
export function programLine<T extends { kind: string }>(
  line: string,
  known: readonly T['kind'][],
): T | undefined {
  try {
    const value = JSON.parse(line) as T | null;
    return value && known.includes(value.kind) ? value : undefined;
  } catch {
    return undefined;
  }
}
