import { DType } from '../dtype';
import { setAttribute, type Rewrite } from '../rewrite';
import { tensorNumbers } from '../values';

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
