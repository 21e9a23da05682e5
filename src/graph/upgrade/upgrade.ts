import { AuroraError } from '../../base/errors';
import { DType } from '../dtype';
import { inlineFunctions } from '../inline';
import {
  type Attribute,
  type Graph,
  INTERNAL_IR_VERSION,
  INTERNAL_OPSET,
  type Model,
  type Node,
  type Tensor,
} from '../model';
import { type Rewrite, rewriteModel } from '../rewrite';
import { swish } from '../unfuse/elementwise';
import { simplifiedLayerNormalization } from '../unfuse/normalization';
import { tensorOf } from '../values';
import { attention, rotaryEmbedding } from './attention';
import {
  axesToInput,
  batchNormalization,
  clip,
  dft,
  dropout,
  gridSample,
  groupNormalization,
  pad,
  resize,
  roiAlign,
  scatter,
  slice,
  softmax,
  split,
  topK,
} from './changed-operators';
import { cast, dequantizeLinear, quantizeLinear, refuse, refuseNewTypes } from './new-types';

const OLDEST = 9;
const NEWEST = 24;

/** Operators that came after the internal opset, written out with its own. */
const NEWER: Record<string, Rewrite> = {
  Attention: attention,
  RMSNormalization: simplifiedLayerNormalization,
  RotaryEmbedding: rotaryEmbedding,
  Swish: swish(1),
  TensorScatter: refuse,
  DequantizeLinear: dequantizeLinear,
};

const REDUCTIONS = 'L1 L2 LogSum LogSumExp Max Mean Min Prod SumSquare'.split(' ').map((r) => `Reduce${r}`);

/**
 * Operators whose meaning or form changed between opsets 9 and 24 (ONNX operator changelog), for a model of the given
 * opset. Opsets 21 and 22 brought types alone, except in GroupNormalization. All others only gained types, or optional
 * attributes whose default is the old behavior.
 */
function rewrites(opset: number): Record<string, Rewrite> {
  const table: Record<string, Rewrite> = {};
  const below = (version: number, rewrite: Rewrite, ...ops: string[]) => {
    if (opset < version) for (const op of ops) table[op] = rewrite;
  };
  below(10, slice, 'Slice');
  below(10, topK, 'TopK');
  below(11, clip, 'Clip');
  below(11, pad, 'Pad');
  below(11, resize, 'Resize');
  below(11, scatter, 'Scatter');
  below(12, dropout(opset), 'Dropout');
  below(13, axesToInput, 'Squeeze', 'Unsqueeze', 'ReduceSum');
  below(13, softmax, 'Softmax', 'LogSoftmax', 'Hardmax');
  below(14, batchNormalization, 'BatchNormalization');
  below(16, roiAlign, 'RoiAlign');
  below(18, axesToInput, ...REDUCTIONS);
  below(18, split, 'Split');
  below(20, dft, 'DFT');
  below(20, gridSample, 'GridSample');
  // Deprecated in opset 10, yet found in later models; one whose old form runtimes no longer support; types.
  below(NEWEST + 1, resize, 'Upsample');
  below(NEWEST + 1, groupNormalization(opset), 'GroupNormalization');
  below(NEWEST + 1, cast, 'Cast');
  below(NEWEST + 1, quantizeLinear, 'QuantizeLinear');
  return opset > INTERNAL_OPSET ? { ...table, ...NEWER } : table;
}

/**
 * Converts a model to the internal opset, with its constants as initializers and its local functions written out. The
 * original is not changed; unchanged tensors are shared.
 *
 * @throws AuroraError 'model' outside opsets 9 to 24, and for types and operators that came later than the internal
 *   opset and are not written out
 */
export function upgradeModel(model: Model): Model {
  const { model: whole, opsets } = inlineFunctions(model);
  const opset = whole.opsets.get('');
  if (opset === undefined)
    throw new AuroraError(
      'model',
      'The model does not say which version of the ONNX operators it uses.',
      `Export it again with opset ${OLDEST} to ${NEWEST}.`,
    );
  const tables = new Map([opset, ...opsets.values()].map((o) => [o, tableFor(o)]));
  refuseNewTypes(whole.graph);
  const lifted = { ...whole, graph: liftConstants(whole.graph) };
  const upgraded = rewriteModel(lifted, '/upgrade', (node, source) =>
    node.domain === '' ? tables.get(opsets.get(source) ?? opset)!.get(node.opType) : undefined,
  );
  // Before IR version 4, every initializer also had to be declared as an input.
  if (model.irVersion < 4)
    upgraded.graph.inputs = upgraded.graph.inputs.filter((i) => !model.graph.initializers.has(i.name));
  upgraded.opsets.set('', INTERNAL_OPSET);
  upgraded.irVersion = Math.max(model.irVersion, INTERNAL_IR_VERSION);
  return upgraded;
}

function tableFor(opset: number): ReadonlyMap<string, Rewrite> {
  if (opset < OLDEST || opset > NEWEST)
    throw new AuroraError(
      'model',
      `The model uses opset ${opset} of the ONNX operators; opsets ${OLDEST} to ${NEWEST} are supported.`,
      `Export it again with opset ${opset < OLDEST ? '17 or so' : `${NEWEST} or lower`} (torch.onnx.export(…, opset_version=17)).`,
    );
  return new Map(Object.entries(rewrites(opset)));
}

/** A copy of a graph with initializers in place of its Constant nodes; those of strings and sparse tensors stay. */
export function liftConstants(graph: Graph): Graph {
  const initializers = new Map(graph.initializers);
  const nodes = graph.nodes.filter((node) => {
    const tensor = constantOf(node);
    if (tensor) initializers.set(tensor.name, tensor);
    return !tensor;
  });
  return { ...graph, nodes, initializers };
}

function constantOf(node: Node): Tensor | undefined {
  if (node.opType !== 'Constant' || node.domain !== '') return undefined;
  const [name] = node.outputs;
  for (const [kind, a] of node.attributes) {
    const tensor = toTensor(name, kind, a);
    if (tensor) return tensor;
  }
  return undefined;
}

function toTensor(name: string, kind: string, a: Attribute): Tensor | undefined {
  if (kind === 'value' && a.type === 'tensor') return { ...a.value, name };
  if (kind === 'value_float' && a.type === 'float') return tensorOf(name, DType.float, [], [a.value]);
  if (kind === 'value_floats' && a.type === 'floats')
    return tensorOf(name, DType.float, [a.value.length], a.value);
  if (kind === 'value_int' && a.type === 'int') return int64(name, [], [a.value]);
  if (kind === 'value_ints' && a.type === 'ints') return int64(name, [a.value.length], a.value);
  return undefined;
}

/** Integers beyond 2^53 arrive as bigints and must not be converted to a number. */
function int64(name: string, dims: number[], values: (number | bigint)[]): Tensor {
  return { name, dtype: DType.int64, dims, data: new Uint8Array(BigInt64Array.from(values, BigInt).buffer) };
}
