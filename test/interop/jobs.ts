/** One exported model to run on a few texts; see onnxruntime_side.py. */
export interface OnnxJob {
  path: string;
  output: string;
  inputs: Record<string, number[][]>;
  /** A safetensors file with tensors that are additional inputs. */
  adapter: string | null;
}

/** Two texts of different lengths. */
export const INPUTS = {
  input_ids: [
    [2, 5, 6, 8, 3, 9, 11],
    [2, 7, 3, 12, 0, 0, 0],
  ],
  attention_mask: [
    [1, 1, 1, 1, 1, 1, 1],
    [1, 1, 1, 1, 0, 0, 0],
  ],
};

/** The largest difference, relative to magnitudes above 1. */
export const apart = (a: readonly number[], b: readonly number[]): number =>
  a.length === b.length
    ? a.reduce((most, v, i) => Math.max(most, Math.abs(v - b[i]) / Math.max(1, Math.abs(v))), 0)
    : NaN;
