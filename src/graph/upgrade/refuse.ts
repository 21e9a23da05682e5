import { AuroraError } from '../../base/errors';
import { attrInt } from '../attributes';
import { DType, dtypeName } from '../dtype';
import type { Graph, Node } from '../model';
import type { Rewrite } from '../rewrite';

/** Types that came after the internal opset: those of four bits with an exponent, of an exponent alone, and of two bits. */
const isNew = (dtype: number): boolean => dtype >= DType.float4e2m1;

/** Cast's round_mode is for the new types alone. */
export const cast: Rewrite = (node, c) => {
  const type = attrInt(node, 'to', 0);
  if (isNew(type)) throw refusal(`${named(node)} casts to ${dtypeName(type)}`);
  node.attributes.delete('round_mode');
  c.emit(node);
};

/** @throws AuroraError 'model' for constants of a type that the internal opset lacks */
export function refuseNewTypes(graph: Graph): void {
  for (const { name, dtype } of [...graph.initializers.values(), ...graph.inputs])
    if (isNew(dtype)) throw refusal(`The tensor ${name} has the type ${dtypeName(dtype)}`);
}

/** An operator that the internal opset cannot express. */
export const refuse: Rewrite = (node) => {
  throw refusal(`${named(node)} is a ${node.opType}`);
};

const named = (node: Node): string => `The node ${node.name || node.outputs[0]}`;

const refusal = (what: string): AuroraError =>
  new AuroraError(
    'model',
    `${what}, which is not supported.`,
    'Export the model again with opset 21 or lower, or train on it before it was quantized.',
  );
