import { setInput, takeAttribute, takeInts, type Rewrite } from '../rewrite';

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
