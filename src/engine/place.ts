/** The engine that runs the graphs, and its device. */
export const ENGINES = {
  /** Our own backward graph in ONNX Runtime: the default. */
  onnxruntime: ['cpu', 'webgpu', 'cuda'],
  /** The forward graph interpreted with tfjs-core, whose own autodiff is a second opinion on ours. */
  tfjs: ['cpu', 'wasm', 'webgpu', 'tensorflow'],
} as const;

export type EngineName = keyof typeof ENGINES;
export type OrtDevice = (typeof ENGINES)['onnxruntime'][number];
export type TfjsBackend = (typeof ENGINES)['tfjs'][number];

export type Place = { engine: 'onnxruntime'; device: OrtDevice } | { engine: 'tfjs'; device: TfjsBackend };

export const CPU: Place = { engine: 'onnxruntime', device: 'cpu' };
