import { AuroraError } from '../../base/errors';
import { attrInt } from '../attributes';
import { dtypeName } from '../dtype';
import type { Node } from '../model';
import { takeAttribute, type Rewrite } from '../rewrite';

/** TensorProto element types that quantization supports only from opset 21. */
const NEW_TYPES: Record<number, string> = { 4: dtypeName(4), 5: dtypeName(5), 21: 'uint4', 22: 'int4' };

/** What QuantizeLinear and DequantizeLinear gained in opset 21 has no equivalent below. */
export const quantization: Rewrite = (node, c) => {
  for (const name of ['block_size', 'output_dtype']) {
    if (attrInt(node, name, 0) !== 0) throw refusal(node, `with ${name}`);
    takeAttribute(node, name);
  }
  for (const i of [0, 2]) {
    const type = NEW_TYPES[c.declared.dtype(node.inputs[i] ?? '') ?? 0];
    if (type) throw refusal(node, `of ${type}`);
  }
  c.emit(node);
};

/** Four-bit integers came with opset 21. */
export const cast: Rewrite = (node, c) => {
  const type = attrInt(node, 'to', 0);
  if (type > 20) throw refusal(node, `to ${NEW_TYPES[type] ?? `type ${type}`}`);
  c.emit(node);
};

const refusal = (node: Node, what: string): AuroraError =>
  new AuroraError(
    'model',
    `The node ${node.name || node.outputs[0]} is a ${node.opType} ${what}, which needs opset 21; this tool works in opset 20.`,
    'Train on the model before quantization, or export it with opset 20 or lower.',
  );
