import { attrFloat, attrInt, attrString } from './attributes';
import type { Node } from './model';

type Weights = { place: number; weight: number }[];

const f32 = Math.fround;

/**
 * The position on the original axis of a position on the resized axis, rounded like ONNX Runtime's float32: the nearest
 * neighbor of a position near the middle depends on it.
 *
 * @param scale resized by original
 */
function origin(mode: string, x: number, scale: number, length: number, out: number): number {
  const half = () => f32(f32((x + 0.5) / scale) - 0.5);
  switch (mode) {
    case 'asymmetric':
      return f32(x / scale);
    case 'align_corners':
      return out === 1 ? 0 : f32((x * (length - 1)) / (out - 1));
    case 'pytorch_half_pixel':
      return out > 1 ? half() : 0;
    case 'half_pixel_symmetric': {
      const adjustment = f32(out / f32(length * scale));
      return f32(f32((length / 2) * f32(1 - adjustment)) + half());
    }
    default:
      return half();
  }
}

function nearestTo(mode: string, at: number): number {
  if (mode === 'floor') return Math.floor(at);
  if (mode === 'ceil') return Math.ceil(at);
  if (mode === 'round_prefer_ceil') return Math.floor(at + 0.5);
  return Math.ceil(at - 0.5);
}

/** Keys' cubic convolution. */
function cubic(a: number, distance: number): number {
  const d = Math.abs(distance);
  if (d <= 1) return (a + 2) * d * d * d - (a + 3) * d ** 2 + 1;
  return d < 2 ? a * d * d * d - 5 * a * d ** 2 + 8 * a * d - 4 * a : 0;
}

function weightsAt(node: Node, at: number, length: number): Weights {
  const mode = attrString(node, 'mode', 'nearest');
  const inside = (place: number) => Math.min(length - 1, Math.max(0, place));
  if (mode === 'nearest') {
    const nearest = nearestTo(attrString(node, 'nearest_mode', 'round_prefer_floor'), at);
    return [{ place: inside(nearest), weight: 1 }];
  }
  const first = Math.floor(at);
  if (mode === 'linear')
    return [0, 1].map((k) => ({ place: inside(first + k), weight: 1 - Math.abs(at - first - k) }));
  const a = attrFloat(node, 'cubic_coeff_a', -0.75);
  return [-1, 0, 1, 2].map((k) => ({ place: inside(first + k), weight: cubic(a, at - first - k) }));
}

/**
 * Resize along one axis as a matrix (length, out), row-major: each axis of a Resize is resized on its own.
 *
 * @param scale out by length, as the node gives it
 */
export function resizeMatrix(node: Node, length: number, out: number, scale: number): Float32Array {
  const mode = attrString(node, 'coordinate_transformation_mode', 'half_pixel');
  const matrix = new Float32Array(length * out);
  const rounded = f32(scale);
  for (let x = 0; x < out; x++)
    for (const { place, weight } of weightsAt(node, origin(mode, x, rounded, length, out), length))
      matrix[place * out + x] += weight;
  return matrix;
}

/** An attribute of a Resize that the matrix leaves out; undefined if there is none. */
export function unsupportedResize(node: Node): string | undefined {
  const mode = attrString(node, 'coordinate_transformation_mode', 'half_pixel');
  if (mode === 'tf_crop_and_resize') return mode;
  if (attrInt(node, 'antialias', 0)) return 'antialias';
  if (attrInt(node, 'exclude_outside', 0)) return 'exclude_outside';
  const policy = attrString(node, 'keep_aspect_ratio_policy', 'stretch');
  return policy === 'stretch' ? undefined : 'keep_aspect_ratio_policy';
}
