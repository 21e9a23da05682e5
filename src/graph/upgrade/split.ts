import { setAttribute, setInput, takeInts, type Rewrite } from '../rewrite';

/** The sizes became an input in opset 13; from 18 on, equal parts are requested by number. */
export const split: Rewrite = (node, c) => {
  const sizes = takeInts(node, 'split');
  if (sizes) setInput(node, 1, c.g.ints(sizes));
  if (!node.inputs[1]) setAttribute(node, 'num_outputs', node.outputs.length);
  c.emit(node);
};
