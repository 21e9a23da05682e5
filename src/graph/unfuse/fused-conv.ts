import { attrString } from '../attributes';
import type { Node } from '../model';
import type { Rewrite } from '../rewrite';
import { refusal, requireKnown } from './parts/refuse';

const CONV = ['auto_pad', 'dilations', 'group', 'kernel_shape', 'pads', 'strides'];
const ATTRIBUTES = [...CONV, 'activation', 'activation_params'];
/** Activations without parameters. */
const PLAIN = new Set(['Relu', 'Tanh', 'Sigmoid']);

/** activation(Conv(x) + z). */
export const fusedConv: Rewrite = (node, c) => {
  requireKnown(node, { attributes: ATTRIBUTES, inputs: ['X', 'W', 'B', 'Z'] });
  const { g } = c;
  const [x, w, bias, z] = node.inputs as [string, string, string?, string?];
  const own = Object.fromEntries([...node.attributes].filter(([name]) => CONV.includes(name)));
  const product = g.op('Conv', bias ? [x, w, bias] : [x, w], own);
  const sum = z ? g.op('Add', [product, z]) : product;
  const activation = attrString(node, 'activation', '');
  const [a, b] = parameters(node);
  // ONNX Runtime fuses a Conv with an Add alone, too.
  if (activation === '') c.replace(node, 'Identity', [sum]);
  else if (PLAIN.has(activation)) c.replace(node, activation, [sum]);
  else if (activation === 'LeakyRelu') c.replace(node, activation, [sum], { alpha: { float: a ?? 0.01 } });
  else if (activation === 'Clip' && a !== undefined && b !== undefined) {
    const type = c.declared.floatType(x);
    c.replace(node, activation, [sum, g.scalar(a, type), g.scalar(b, type)]);
  } else if (activation === 'HardSigmoid' && a !== undefined && b !== undefined)
    c.replace(node, activation, [sum], { alpha: { float: a }, beta: { float: b } });
  else throw refusal(node, `the activation "${activation}"`);
};

function parameters(node: Node): number[] {
  const given = node.attributes.get('activation_params');
  return given?.type === 'floats' ? given.value : [];
}
