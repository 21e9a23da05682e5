import { attrInt, attrString } from '../attributes';
import { DType } from '../dtype';
import { setAttribute, setInput, takeAttribute, type Rewrite } from '../rewrite';
import { own } from '../../base/names';

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
