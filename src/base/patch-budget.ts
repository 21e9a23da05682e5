/** The patches that a picture is cut into, whatever its shape. */
export interface PatchBudget {
  /** Height and width of a patch, in pixels. */
  side: number;
  /** The largest number of them. */
  most: number;
}

/** The largest picture is scaled by this at most, and the search for the scale ends with steps below `CLOSE`. */
const LARGEST = 100;
const CLOSE = 1e-5;

/**
 * The size that a picture is resized to: whole patches, as many as are allowed, in about its own aspect ratio
 * (get_image_size_for_max_num_patches in transformers' image_processing_siglip2.py, whose search decides the rounding).
 */
export function patchedSize(
  { width, height }: { width: number; height: number },
  { side, most }: PatchBudget,
): { width: number; height: number } {
  const scaled = (length: number, scale: number) => Math.max(side, Math.ceil((length * scale) / side) * side);
  let [low, high] = [CLOSE / 10, LARGEST];
  while (high - low >= CLOSE) {
    const scale = (low + high) / 2;
    const count = (scaled(height, scale) / side) * (scaled(width, scale) / side);
    if (count <= most) low = scale;
    else high = scale;
  }
  return { width: scaled(width, low), height: scaled(height, low) };
}

/** True for a picture of whole patches, and of no more than are allowed. */
export const isPatched = (
  { width, height }: { width: number; height: number },
  { side, most }: PatchBudget,
): boolean =>
  width > 0 &&
  height > 0 &&
  width % side === 0 &&
  height % side === 0 &&
  (width / side) * (height / side) <= most;
