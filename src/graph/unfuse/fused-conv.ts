import { attrString } from '../attributes';
import type { Node } from '../model';
import type { Rewrite } from '../rewrite';
import { activate } from './parts/activation';
import { requireKnown } from './parts/refuse';

const CONV = ['auto_pad', 'dilations', 'group', 'kernel_shape', 'pads', 'strides'];
const ATTRIBUTES = [...CONV, 'activation', 'activation_params'];

/** activation(Conv(x) + z). */
export const fusedConv: Rewrite = (node, c) => {
  requireKnown(node, { attributes: ATTRIBUTES, inputs: ['X', 'W', 'B', 'Z'] });
  const { g } = c;
  const [y] = node.outputs;
  const [x, w, bias, z] = node.inputs as [string, string, string?, string?];
  const own = Object.fromEntries([...node.attributes].filter(([name]) => CONV.includes(name)));
  const activation = attrString(node, 'activation', '');
  const inputs = bias ? [x, w, bias] : [x, w];
  // ONNX Runtime fuses a Conv with an Add alone, too.
  if (activation === '' && !z) return c.replace(node, 'Conv', inputs, own);
  const product = g.fresh('Conv');
  c.replace(node, 'Conv', inputs, own, [product]);
  if (activation === '') return void c.produce(y, 'Add', [product, z!]);
  const parameters = parametersOf(node);
  activate(c, node, activation, z ? g.op('Add', [product, z]) : product, (place) => parameters[place]);
};

function parametersOf(node: Node): readonly (number | undefined)[] {
  const given = node.attributes.get('activation_params');
  return given?.type === 'floats' ? given.value : [];
}
