import { AuroraError } from '../../base/errors';
import { INTERNAL_IR_VERSION, INTERNAL_OPSET, type Model } from '../model';
import { rewriteModel, type Rewrite } from '../rewrite';
import { axesToInput } from './axes';
import { clip, pad } from './bounds';
import { liftConstants } from './constants';
import { dropout } from './dropout';
import { batchNormalization, groupNormalization } from './normalization';
import { resize } from './resize';
import { slice } from './slice';
import { dft, gridSample, roiAlign, scatter, topK } from './small';
import { softmax } from './softmax';
import { split } from './split';

const OLDEST = 9;
const NEWEST = 21;

const REDUCTIONS = 'L1 L2 LogSum LogSumExp Max Mean Min Prod SumSquare'.split(' ').map((r) => `Reduce${r}`);

/**
 * Operators whose meaning or form changed between opsets 9 and 21 (ONNX operator changelog), for a model of the given
 * opset. All others only gained types, or optional attributes whose default is the old behavior.
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
  // Deprecated in opset 10, yet found in later models; and one whose old form runtimes no longer support.
  below(NEWEST + 1, resize, 'Upsample');
  below(NEWEST + 1, groupNormalization(opset), 'GroupNormalization');
  return table;
}

/**
 * The same model in the internal opset, with its constants as initializers. The original is not changed; unchanged
 * tensors are shared.
 *
 * @throws AuroraError 'model' outside opsets 9 to 21
 */
export function upgradeModel(model: Model): Model {
  const opset = model.opsets.get('');
  if (opset === undefined)
    throw new AuroraError(
      'model',
      'The model does not say which version of the ONNX operators it uses.',
      'Export it again with opset 9 to 21.',
    );
  if (opset < OLDEST || opset > NEWEST)
    throw new AuroraError(
      'model',
      `The model uses opset ${opset} of the ONNX operators; opsets ${OLDEST} to ${NEWEST} are supported.`,
      `Export it again with opset ${opset < OLDEST ? '17 or so' : `${NEWEST} or lower`} (torch.onnx.export(…, opset_version=17)).`,
    );
  const table = new Map(Object.entries(rewrites(opset)));
  refuseFunctions(model);
  const lifted = { ...model, graph: liftConstants(model.graph) };
  const upgraded = rewriteModel(lifted, '/upgrade', (node) =>
    node.domain === '' ? table.get(node.opType) : undefined,
  );
  // Before IR version 4, every initializer also had to be declared as an input.
  if (model.irVersion < 4)
    upgraded.graph.inputs = upgraded.graph.inputs.filter((i) => !model.graph.initializers.has(i.name));
  upgraded.opsets.set('', INTERNAL_OPSET);
  upgraded.irVersion = Math.max(model.irVersion, INTERNAL_IR_VERSION);
  return upgraded;
}

/** ModelProto.functions, field 25: the tag's two bytes. */
const FUNCTIONS = [0xca, 0x01];

function refuseFunctions(model: Model): void {
  if (!model.unknown?.some((raw) => FUNCTIONS.every((byte, i) => raw[i] === byte))) return;
  throw new AuroraError(
    'model',
    'The model defines local functions, which are not supported.',
    'Inline them first: onnx.inliner.inline_local_functions(model) in Python, or export with optimization.',
  );
}
