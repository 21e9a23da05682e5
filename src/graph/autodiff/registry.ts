import type { Node } from '../model';
import { arithmetic } from './rules/arithmetic';
import { choice } from './rules/choice';
import { concat } from './rules/concat';
import { dropout } from './rules/dropout';
import { einsum } from './rules/einsum';
import { functions } from './rules/functions';
import { gather } from './rules/gather';
import { gelu } from './rules/gelu';
import { gemm } from './rules/gemm';
import { layerNorm } from './rules/layer-norm';
import { matmul } from './rules/matmul';
import { pools } from './image-rules/pool';
import { pow } from './rules/pow';
import { rectifiers } from './rules/rectifiers';
import { reduce } from './rules/reduce';
import { regions } from './rules/regions';
import { repeat } from './rules/repeat';
import { resizes } from './image-rules/resize';
import { slice } from './rules/slice';
import { softmax } from './rules/softmax';
import { views } from './rules/views';
import { activations } from './rules/activations';
import { convolution } from './image-rules/conv';
import { cumsum } from './rules/cumsum';
import { frozenNorm } from './image-rules/frozen-norm';
import { nbits } from './quantized/nbits';
import { straightThrough } from './quantized/straight-through';
import { nd } from './rules/nd';
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
