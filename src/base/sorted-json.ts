/** A JSON value as a string with sorted keys, so that two strings differ only if their values do. */
export const sortedJson = (value: unknown, indent?: number): string =>
  JSON.stringify(value, sortKeys, indent);

const sortKeys = (_key: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;
