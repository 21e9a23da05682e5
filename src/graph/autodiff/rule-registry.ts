import { own } from '../../base/names';
import type { Node } from '../model';
import type { Rule } from './rule';
import { activations, gelu, rectifiers, softmax } from './rules/activations';
import { arithmetic, choice, functions, pow } from './rules/arithmetic';
import { convolution, pools } from './rules/convolution-and-pooling';
import { dropout } from './rules/dropout';
import { gather, nd } from './rules/gather';
import { einsum, gemm, matmul } from './rules/matrix-products';
import { frozenNorm, layerNorm } from './rules/normalization';
import { fewBits, straightThrough } from './rules/quantized-weights';
import { cumsum, reduce } from './rules/reduce';
import { resizes } from './rules/resize';
import { regions, slice } from './rules/slice';
import { concat, repeat, views } from './rules/views';

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
  ...fewBits,
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
