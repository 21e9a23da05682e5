import { AuroraError } from '../../base/errors';
import { inlineFunctions } from '../inline';
import { INTERNAL_IR_VERSION, INTERNAL_OPSET, type Model } from '../model';
import { rewriteModel, type Rewrite } from '../rewrite';
import { attention } from './newer/attention';
import { simplifiedLayerNormalization } from '../unfuse/simplified-layer-normalization';
import { rotaryEmbedding } from './newer/rotary-embedding';
import { swish } from '../unfuse/swish';
import { axesToInput } from './axes';
import { clip, pad } from './bounds';
import { liftConstants } from './constants';
import { dropout } from './dropout';
import { batchNormalization, groupNormalization } from './normalization';
import { dequantizeLinear, quantizeLinear } from './quantization';
import { cast, refuse, refuseNewTypes } from './refuse';
import { resize } from './resize';
import { slice } from './slice';
import { dft, gridSample, roiAlign, scatter, topK } from './small';
import { softmax } from './softmax';
import { split } from './split';

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
