import type { OrtDevice, Place } from '../../engine/place';

/**
 * The largest error that passes, against PyTorch in float64. Tensors are measured by their largest magnitude,
 * losses and norms relatively, curves relatively above 1 and absolutely below.
 */
export interface Tolerances {
  loss: number;
  logits: number;
  gradients: number;
  /** Loss before and after steps of the optimizer. */
  curve: number;
  trainedNorms: number;
  /** The merged model's logits after training. */
  mergedLogits: number;
  /** The bare nonlinear layer and its gradients. */
  sigma: number;
  sigmaGradients: number;
}

const FLOAT32: Tolerances = {
  loss: 1e-5,
  logits: 1e-4,
  gradients: 1e-4,
  curve: 1e-5,
  trainedNorms: 1e-4,
  mergedLogits: 2e-4,
  sigma: 1e-5,
  sigmaGradients: 1e-4,
};

/** What the host computes in float64, whatever the device. */
export const HOST = { bases: 1e-5, sigma: 1e-5, mergedDelta: 1e-5 };

/** Devices of ONNX Runtime. */
export const TOLERANCES: Record<OrtDevice, Tolerances> = {
  cpu: FLOAT32,
  // Float32 as well, so no looser. Worst on Mesa's lavapipe, over all reference files: loss 5.6e-7, logits 3.8e-6,
  // gradients 4.1e-5, curve 3.0e-7, trainedNorms 4.8e-7, mergedLogits 6.6e-6, sigma 1.7e-7, its gradients 4.2e-7.
  webgpu: FLOAT32,
  // Never measured: no card was at hand. TensorFloat-32 is off, so float32 it is.
  cuda: FLOAT32,
};

export const tolerancesOf = (place: Place): Tolerances =>
  place.engine === 'onnxruntime' ? TOLERANCES[place.device] : FLOAT32;

/** The table of `aurora reference --help`. */
export function tolerancesTable(): string {
  const devices = Object.keys(TOLERANCES) as OrtDevice[];
  const rows = Object.keys(FLOAT32).map((kind) => [
    kind,
    ...devices.map((d) => TOLERANCES[d][kind as keyof Tolerances].toExponential(0)),
  ]);
  return [['', ...devices], ...rows]
    .map(([first, ...cells]) => `  ${first.padEnd(16)}${cells.map((c) => c.padEnd(9)).join('')}`.trimEnd())
    .join('\n');
}
