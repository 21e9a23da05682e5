import { attrFloat, attrString } from '../attributes';
import type { Rewrite } from '../rewrite';
import { activate } from './parts/activation';
import { requireKnown } from './parts/refuse';

const GEMM = ['alpha', 'beta', 'transA', 'transB'];
const ATTRIBUTES = [...GEMM, 'activation', 'activation_alpha', 'activation_beta', 'activation_gamma'];

/** activation(Gemm(a, b, c)). */
export const fusedGemm: Rewrite = (node, c) => {
  requireKnown(node, { attributes: ATTRIBUTES, inputs: ['A', 'B', 'C'] });
  const own = Object.fromEntries([...node.attributes].filter(([name]) => GEMM.includes(name)));
  const activation = attrString(node, 'activation', '');
  if (activation === '') return c.replace(node, 'Gemm', node.inputs, own);
  const product = c.g.fresh('Gemm');
  c.replace(node, 'Gemm', node.inputs, own, [product]);
  activate(c, node, activation, product, (_, name) => {
    const attribute = `activation_${name}`;
    return node.attributes.has(attribute) ? attrFloat(node, attribute, 0) : undefined;
  });
};
