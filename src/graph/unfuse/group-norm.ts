import { attrFloat, attrInt } from '../attributes';
import type { Node } from '../model';
import type { Rewrite, RewriteContext } from '../rewrite';
import { normalGroups } from './parts/groups';
import { knownRank } from './parts/rank';
import { refusal, requireKnown } from './parts/refuse';

const ATTRIBUTES = ['activation', 'channels_last', 'epsilon', 'groups'];
const SILU = 1;

/** Group normalization of an image, whose channels are last by default, and perhaps SiLU. */
export const groupNorm: Rewrite = (node, c) => {
  requireKnown(node, { attributes: ATTRIBUTES, inputs: ['X', 'gamma', 'beta'] });
  const [x, gamma, beta] = node.inputs;
  normalize(c, node, x, gamma, beta);
};

const SKIP_INPUTS = ['X', 'gamma', 'beta', 'skip', 'bias'];

/** Normalizes X + skip + bias; the second output is the sum. */
export const skipGroupNorm: Rewrite = (node, c) => {
  requireKnown(node, { attributes: ATTRIBUTES, inputs: SKIP_INPUTS, outputs: ['Y', 'S'] });
  if (attrInt(node, 'channels_last', 1) !== 1) throw refusal(node, 'a skip and channels_last=0');
  const { g } = c;
  const [x, gamma, beta, skip, bias] = node.inputs;
  // A row has one number for each channel, as from the embedding of a time step.
  const row = knownRank(c, node, skip) === 2;
  const wide = row ? g.op('Unsqueeze', [skip, g.ints([1, 2])]) : skip;
  const both = [bias ? g.op('Add', [x, bias]) : x, wide];
  const [, sum] = node.outputs;
  normalize(c, node, sum ? c.produce(sum, 'Add', both) : g.op('Add', both), gamma, beta);
};

function normalize(c: RewriteContext, node: Node, x: string, gamma: string, beta: string): void {
  const { g } = c;
  const [y] = node.outputs;
  const last = attrInt(node, 'channels_last', 1) === 1;
  const activation = attrInt(node, 'activation', 0);
  if (activation !== 0 && activation !== SILU) throw refusal(node, `the activation ${activation}`);
  const image = last ? g.op('Transpose', [x], { perm: [0, 3, 1, 2] }) : x;
  const rows = normalGroups(c, image, gamma, beta, {
    groups: attrInt(node, 'groups', 1),
    epsilon: attrFloat(node, 'epsilon', 1e-5),
    type: c.declared.floatType(node.inputs[0]),
  });
  const normal = g.op('Reshape', [rows, g.op('Shape', [image])]);
  const made = activation === SILU ? g.op('Mul', [normal, g.op('Sigmoid', [normal])]) : normal;
  if (last) c.replace(node, 'Transpose', [made], { perm: [0, 2, 3, 1] }, [y]);
  else c.replace(node, 'Identity', [made], {}, [y]);
}
