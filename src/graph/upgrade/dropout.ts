import { setInput, takeAttribute, type Rewrite } from '../rewrite';

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
