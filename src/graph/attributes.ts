import type { Attribute, Node } from './model';

/** Typed access to a node's attributes, with the operator's default for one that the model omits. */
export function attrInt(node: Node, name: string, otherwise: number): number;
export function attrInt(node: Node, name: string): number | undefined;
export function attrInt(node: Node, name: string, otherwise?: number): number | undefined {
  const a = node.attributes.get(name);
  return a?.type === 'int' ? Number(a.value) : otherwise;
}

export function attrFloat(node: Node, name: string, otherwise: number): number {
  const a = node.attributes.get(name);
  return a?.type === 'float' ? a.value : otherwise;
}

export function attrString(node: Node, name: string, otherwise: string): string {
  const a = node.attributes.get(name);
  return a?.type === 'string' ? a.value : otherwise;
}

export function attrInts(node: Node, name: string): number[] | undefined {
  const a = node.attributes.get(name);
  return a?.type === 'ints' ? a.value.map(Number) : undefined;
}

/** Values that a builder accepts: integers become int or ints, `{ float }` a float, strings a string. */
export type AttributeLike = number | number[] | string | { float: number } | { floats: number[] } | Attribute;

export function toAttribute(v: AttributeLike): Attribute {
  if (typeof v === 'number') return { type: 'int', value: v };
  if (typeof v === 'string') return { type: 'string', value: v };
  if (Array.isArray(v)) return { type: 'ints', value: v };
  if ('float' in v) return { type: 'float', value: v.float };
  if ('floats' in v && !('type' in v)) return { type: 'floats', value: v.floats };
  return v as Attribute;
}
