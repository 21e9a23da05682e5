import type { SchemaTree } from 'hyparquet';

/** The number of units in a millisecond. */
const UNITS = { MILLIS: 1, MICROS: 1e3, NANOS: 1e6 } as const;

const unitOf = ({ logical_type, converted_type }: SchemaTree['element']): number | undefined =>
  logical_type?.type === 'TIME'
    ? UNITS[logical_type.unit]
    : converted_type === 'TIME_MILLIS'
      ? UNITS.MILLIS
      : converted_type === 'TIME_MICROS'
        ? UNITS.MICROS
        : undefined;

/** "14:05:06.789", as the time of a day in ISO 8601; undefined for a number that JavaScript cannot date. */
function clock(milliseconds: number): string | undefined {
  const date = new Date(Math.floor(milliseconds));
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString().split('T')[1]!.slice(0, -1);
}

/** True if a column has times of day, also within lists, structs and maps. */
export const hasTimes = ({ element, children }: SchemaTree): boolean =>
  unitOf(element) !== undefined || children.some(hasTimes);

/** A column's value with texts for its times of day, which the library leaves as numbers since midnight. */
export function withTimes(value: unknown, tree: SchemaTree): unknown {
  if (typeof value === 'number' || typeof value === 'bigint') {
    const unit = unitOf(tree.element);
    return unit === undefined ? value : clock(Number(value) / unit);
  }
  if (Array.isArray(value)) return value.map((item) => withTimes(item, itemOf(tree)));
  if (typeof value !== 'object' || value === null || value instanceof Date || value instanceof Uint8Array)
    return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, own]) => [key, withTimes(own, memberOf(tree, key))]),
  );
}

/** A list has a repeated group of one child; older writers repeat the item itself. */
function itemOf(tree: SchemaTree): SchemaTree {
  const [list = tree] = tree.children;
  return list.children.length === 1 ? list.children[0]! : list;
}

/** The field of a struct, or the values of a map. */
const memberOf = ({ element, children }: SchemaTree, key: string): SchemaTree =>
  element.converted_type === 'MAP'
    ? children[0]!.children[1]!
    : children.find((child) => child.element.name === key)!;
