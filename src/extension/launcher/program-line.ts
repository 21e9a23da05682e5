/** Parses a JSON line of `aurora … --json`; undefined if it is not one, or of an unknown kind. */
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
