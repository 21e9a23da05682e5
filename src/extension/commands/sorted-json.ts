/** A JSON value as text with keys in order, so that two of them differ only where their values do. */
export const sortedJson = (value: unknown): string => `${JSON.stringify(sortKeys(value), null, 2)}\n`;

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, v]) => [key, sortKeys(v)]));
}
