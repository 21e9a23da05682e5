/** A layer whose weight was quantized. */
export interface QuantizedLayer {
  path: string;
  inFeatures: number;
  outFeatures: number;
  /** ‖Ŵ − W‖ / ‖W‖, with the Frobenius norm. */
  error: number;
}

/** What `aurora quantize` made. */
export interface QuantizeResult {
  /** Of the ONNX file. */
  path: string;
  /** Of the data file beside it. */
  bytes: number;
  layers: QuantizedLayer[];
  /** Names of the nodes of linear layers that stay as they were. */
  kept: string[];
}
