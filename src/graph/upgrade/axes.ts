import { setInput, takeInts, type Rewrite } from '../rewrite';

/**
 * Moves `axes` from an attribute to an input: Squeeze, Unsqueeze and ReduceSum in opset 13, the other reductions in 18.
 * No list, or an empty one, reduces (or squeezes) everything, as does omitting the input.
 */
export const axesToInput: Rewrite = (node, c) => {
  const axes = takeInts(node, 'axes');
  if (axes?.length) setInput(node, 1, c.g.ints(axes));
  c.emit(node);
};
