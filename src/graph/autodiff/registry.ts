import type { Node } from '../model';
import { arithmetic, choice, functions, pow } from './rules/arithmetic';
import { concat, repeat, views } from './rules/views';
import { dropout } from './rules/dropout';
import { einsum, gemm, matmul } from './rules/matrix-products';
import { gather, nd } from './rules/gather';
import { gelu, rectifiers, softmax, activations } from './rules/activations';
import { layerNorm, frozenNorm } from './rules/normalization';
import { pools, convolution } from './rules/convolution-and-pooling';
import { reduce, cumsum } from './rules/reduce';
import { regions, slice } from './rules/slice';
import { resizes } from './rules/resize';
import { nbits, straightThrough } from './rules/quantized-weights';
import type { Rule } from './rule';
import { own } from '../../base/names';

/** Every operator with a gradient rule, by domain and name. */
const RULES: Record<string, Rule> = {
  ...arithmetic,
  ...choice,
  ...concat,
  ...dropout,
  ...einsum,
  ...functions,
  ...gather,
  ...gelu,
  ...gemm,
  ...layerNorm,
  ...matmul,
  ...pow,
  ...rectifiers,
  ...reduce,
  ...regions,
  ...repeat,
  ...slice,
  ...softmax,
  ...views,
  ...nd,
  ...nbits,
  ...straightThrough,
  ...frozenNorm,
  ...cumsum,
  ...convolution,
  ...pools,
  ...resizes,
  ...activations,
};

export const ruleFor = (node: Pick<Node, 'domain' | 'opType'>): Rule | undefined =>
  own(RULES, node.domain ? `${node.domain}.${node.opType}` : node.opType);

export const differentiableOps = (): string[] => Object.keys(RULES);
