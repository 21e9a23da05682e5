import { setInput, takeInts, type Rewrite } from '../rewrite';

/** Opset 10 made starts, ends and axes inputs (and added steps). */
export const slice: Rewrite = (node, c) => {
  setInput(node, 1, c.g.ints(takeInts(node, 'starts') ?? []));
  setInput(node, 2, c.g.ints(takeInts(node, 'ends') ?? []));
  const axes = takeInts(node, 'axes');
  if (axes) setInput(node, 3, c.g.ints(axes));
  c.emit(node);
};
