/**
 * A value of a JSON file as text, for an error. JSON.parse reads values that are nested more deeply than JSON.stringify can
 * write them.
 */
export function jsonText(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'missing';
  } catch {
    return 'a value that is nested too deeply';
  }
}
