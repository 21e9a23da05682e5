import { attrInt } from '../attributes';
import { takeAttribute, type Rewrite } from '../rewrite';
import { refuseQuantized } from './refuse';

/** Since opset 23, QuantizeLinear divides in the type of its scale or in `precision`; before, all had one type. */
export const quantizeLinear: Rewrite = (node, c) => {
  refuseQuantized(node, c.declared);
  const [x, scale] = node.inputs;
  const own = [x, scale].map((name) => c.declared.floatType(name));
  const type = attrInt(node, 'precision', 0) || own[1];
  takeAttribute(node, 'precision');
  [x, scale].forEach((name, i) => {
    if (own[i] !== type) node.inputs[i] = c.g.op('Cast', [name], { to: type });
  });
  c.emit(node);
};

/** Since opset 23, DequantizeLinear may name the type of its output; before, it was that of the scale. */
export const dequantizeLinear: Rewrite = (node, c) => {
  const type = attrInt(node, 'output_dtype', 0);
  takeAttribute(node, 'output_dtype');
  if (type === 0 || type === c.declared.floatType(node.inputs[1])) {
    c.emit(node);
    return;
  }
  const [y] = node.outputs;
  node.outputs[0] = c.g.fresh('DequantizeLinear');
  c.emit(node);
  c.produce(y, 'Cast', [node.outputs[0]], { to: type });
};
