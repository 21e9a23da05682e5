/** Checks of the fields of messages, to be combined. */

export type Check = (value: unknown) => boolean;
export type Fields = Record<string, Check>;

export const isPlainObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
export const text: Check = (value) => typeof value === 'string';
export const flag: Check = (value) => typeof value === 'boolean';
export const count: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
export const finite: Check = (value) => Number.isFinite(value);
export const number: Check = (value) => Number.isFinite(value) && (value as number) >= 0;
export const oneOf = (...known: unknown[]): Check => known.includes.bind(known);
export const either =
  (...checks: Check[]): Check =>
  (value) =>
    checks.some((check) => check(value));
export const maybe = (check: Check): Check => either(oneOf(undefined), check);
export const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
export const object =
  (fields: Fields): Check =>
  (value) =>
    isPlainObject(value) && Object.entries(fields).every(([key, check]) => check(value[key]));
