import { attrInt } from '../attributes';
import { DType } from '../dtype';
import type { Node } from '../model';

/** True if a node reads rows of a table, its first input, at the indices in its second. */
export const looksUp = (node: Pick<Node, 'domain' | 'opType'>): boolean =>
  (node.opType === 'Gather' && node.domain === '') || looksUpFewBits(node);

/**
 * True if a node reads rows of a table of few bits: integers of four bits, or bytes that hold several along the last
 * axis. https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md
 */
export const looksUpFewBits = ({ domain, opType }: Pick<Node, 'domain' | 'opType'>): boolean =>
  opType === 'GatherBlockQuantized' && domain === 'com.microsoft';

/** The number of values in an element of such a table. */
export const valuesEach = (node: Node, dtype: number): number =>
  dtype === DType.uint8 ? 8 / attrInt(node, 'bits', 4) : 1;
