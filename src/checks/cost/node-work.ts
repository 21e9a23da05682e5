import { attrInt } from '../../graph/attributes';
import type { Node } from '../../graph/model';
import { looksUp } from '../../graph/quantized/lookup';
import { productFlops } from '../../graph/sizes/products';
import type { FixedGraph } from '../../graph/sizes/sizes';
import { bytesOf, withoutTransposes } from './live-bytes';

/** The work of a node, however fast the machine is. */
export interface NodeWork {
  node: Node;
  /** Additions and multiplications of a product of matrices, both counted; 0 for any other node. */
  flops: number;
  /** Bytes that it reads and writes. */
  bytes: number;
}

/** Nodes that only look at a tensor under other sizes. */
const FREE = new Set(['Reshape', 'Squeeze', 'Unsqueeze', 'Flatten', 'Identity', 'Shape']);

/** The work of each node of a graph, without those that do none and Transposes that the runtime fuses into products. */
export function nodeWork(fixed: FixedGraph): NodeWork[] {
  const dims = (name: string): number[] => fixed.infos.get(name)?.shape ?? [];
  return withoutTransposes(fixed.graph.nodes)
    .filter(({ opType }) => !FREE.has(opType))
    .map((node) => {
      const { opType, inputs, outputs } = node;
      const transA = attrInt(node, 'transA', 0) === 1;
      // A lookup reads only some rows of a table.
      const read = looksUp(node) ? bytesOf(fixed, outputs[0]) : sum(inputs.map((x) => bytesOf(fixed, x)));
      return {
        node,
        flops: productFlops(opType, inputs.map(dims), dims(outputs[0]), transA),
        bytes: read + sum(outputs.map((y) => bytesOf(fixed, y))),
      };
    });
}

export const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
