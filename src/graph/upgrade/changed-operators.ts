import { AuroraError } from '../../base/errors';
import { own } from '../../base/names';
import { attrFloat, attrInt, attrString } from '../attributes';
import { DType } from '../dtype';
import { type Rewrite, setAttribute, setInput, takeAttribute, takeInts } from '../rewrite';
import { normalGroups } from '../unfuse/normalization';
import { tensorNumbers } from '../values';

/**
 * Moves `axes` from an attribute to an input: Squeeze, Unsqueeze and ReduceSum in opset 13, the other reductions in 18.
 * No list, or an empty one, reduces (or squeezes) everything, as does omitting the input.
 */
export const axesToInput: Rewrite = (node, c) => {
  const axes = takeInts(node, 'axes');
  if (axes?.length) setInput(node, 1, c.g.ints(axes));
  c.emit(node);
};

/** Opset 10 made starts, ends and axes inputs (and added steps). */
export const slice: Rewrite = (node, c) => {
  setInput(node, 1, c.g.ints(takeInts(node, 'starts') ?? []));
  setInput(node, 2, c.g.ints(takeInts(node, 'ends') ?? []));
  const axes = takeInts(node, 'axes');
  if (axes) setInput(node, 3, c.g.ints(axes));
  c.emit(node);
};

/** The sizes became an input in opset 13; from 18 on, equal parts are requested by number. */
export const split: Rewrite = (node, c) => {
  const sizes = takeInts(node, 'split');
  if (sizes) setInput(node, 1, c.g.ints(sizes));
  if (!node.inputs[1]) setAttribute(node, 'num_outputs', node.outputs.length);
  c.emit(node);
};

/** Clip's bounds became inputs in opset 11. */
export const clip: Rewrite = (node, c) => {
  const type = c.declared.floatType(node.inputs[0]);
  for (const [i, name] of [
    [1, 'min'],
    [2, 'max'],
  ] as const) {
    const bound = takeAttribute(node, name);
    if (bound?.type === 'float') setInput(node, i, c.g.scalar(bound.value, type));
  }
  c.emit(node);
};

/** Pad's widths and fill became inputs in opset 11. */
export const pad: Rewrite = (node, c) => {
  const type = c.declared.floatType(node.inputs[0]);
  setInput(node, 1, c.g.ints(takeInts(node, 'pads') ?? []));
  const value = takeAttribute(node, 'value');
  if (value?.type === 'float' && value.value !== 0) setInput(node, 2, c.g.scalar(value.value, type));
  c.emit(node);
};

/**
 * Upsample (opset 9) and Resize before opset 11 knew only scales, with output pixel i at input i / scale. Nearest
 * rounded down where an axis grew and up where it shrank; this takes two of today's nodes if both happen or if the
 * scales are known only at run time.
 */
export const resize: Rewrite = (node, c) => {
  const [x, scales] = node.inputs;
  node.opType = 'Resize';
  setAttribute(node, 'coordinate_transformation_mode', 'asymmetric');
  const mode = node.attributes.get('mode');
  const nearest = mode?.type !== 'string' || mode.value === 'nearest';
  const constant = c.constant(scales);
  const factors = constant && tensorNumbers(constant);
  const grows = !factors || factors.some((s) => s > 1);
  const shrinks = !factors || factors.some((s) => s < 1);
  if (nearest && grows && shrinks) {
    const one = c.g.scalar(1, DType.float);
    const larger = c.g.op('Resize', [x, '', c.g.op('Max', [scales, one])], {
      coordinate_transformation_mode: 'asymmetric',
      nearest_mode: 'floor',
    });
    node.inputs = [larger, '', c.g.op('Min', [scales, one])];
  } else node.inputs = [x, '', scales];
  if (nearest) setAttribute(node, 'nearest_mode', shrinks ? 'ceil' : 'floor');
  c.emit(node);
};

/**
 * Softmax, LogSoftmax and Hardmax before opset 13 flattened the input to a matrix at `axis` (default 1), and so covered
 * all axes from there on; since then, one axis. The two agree on the last axis.
 */
export const softmax: Rewrite = (node, c) => {
  const [x] = node.inputs;
  const axis = attrInt(node, 'axis', 1);
  const rank = c.declared.rank(x);
  setAttribute(node, 'axis', -1);
  if (axis === -1 || axis + 1 === rank) {
    c.emit(node);
    return;
  }
  const [y] = node.outputs;
  const shape = c.g.op('Shape', [x]);
  node.inputs[0] = c.g.op('Flatten', [x], { axis });
  node.outputs[0] = c.g.fresh(node.opType);
  c.emit(node);
  c.produce(y, 'Reshape', [node.outputs[0], shape], { allowzero: 1 });
};

/**
 * Dropout before opset 12 had its ratio as an attribute and did nothing at inference, like today's without
 * training_mode. Before opset 10 the mask had the data's type; now it is boolean.
 */
export const dropout =
  (opset: number): Rewrite =>
  (node, c) => {
    const ratio = takeAttribute(node, 'ratio');
    if (ratio?.type === 'float') setInput(node, 1, c.g.scalar(ratio.value, 1));
    const mask = node.outputs[1];
    if (!mask || opset >= 10) {
      c.emit(node);
      return;
    }
    node.outputs[1] = c.g.fresh('mask');
    c.emit(node);
    c.produce(mask, 'Cast', [node.outputs[1]], { to: c.declared.floatType(node.inputs[0]) });
  };

/** Before opset 14, more than one output meant that the node was exported for training. */
export const batchNormalization: Rewrite = (node, c) => {
  if (node.outputs.slice(1).some((y) => y !== ''))
    throw new AuroraError(
      'model',
      `The node ${node.name || node.outputs[0]} is a BatchNormalization in training mode, which has no meaning at inference.`,
      'Export the model in evaluation mode (model.eval()).',
    );
  takeAttribute(node, 'momentum');
  node.outputs.length = 1;
  c.emit(node);
};

/**
 * GroupNormalization scaled per group in opset 18 and has scaled per channel since 21, and runtimes have withdrawn the
 * former. Both are decomposed, which also gives them gradients.
 */
export const groupNormalization =
  (opset: number): Rewrite =>
  (node, c) => {
    const [x, scale, bias] = node.inputs;
    const type = c.declared.floatType(x);
    const y = normalGroups(c, x, scale, bias, {
      groups: attrInt(node, 'num_groups', 1),
      epsilon: attrFloat(node, 'epsilon', 1e-5),
      type,
      ...(opset >= 21 ? { stash: attrInt(node, 'stash_type', DType.float) } : { perGroup: true }),
    });
    c.replace(node, 'Reshape', [y, c.g.op('Shape', [x])], { allowzero: 1 });
  };

/** TopK's k became an input in opset 10. */
export const topK: Rewrite = (node, c) => {
  setInput(node, 1, c.g.ints([attrInt(node, 'k', 0)]));
  takeAttribute(node, 'k');
  c.emit(node);
};

/** Scatter was renamed in opset 11. */
export const scatter: Rewrite = (node, c) => {
  node.opType = 'ScatterElements';
  c.emit(node);
};

/** RoiAlign changed its default in opset 16. */
export const roiAlign: Rewrite = (node, c) => {
  setAttribute(node, 'coordinate_transformation_mode', 'output_half_pixel');
  c.emit(node);
};

/** GridSample's modes lost their two dimensions in opset 20, which brought volumes. */
export const gridSample: Rewrite = (node, c) => {
  const mode = attrString(node, 'mode', 'bilinear');
  setAttribute(node, 'mode', own({ bilinear: 'linear', bicubic: 'cubic' }, mode) ?? mode);
  c.emit(node);
};

/** DFT's axis became an input in opset 20, with another default. */
export const dft: Rewrite = (node, c) => {
  setInput(node, 2, c.g.scalar(attrInt(node, 'axis', 1), DType.int64));
  takeAttribute(node, 'axis');
  c.emit(node);
};
