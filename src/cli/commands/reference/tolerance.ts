import { AuroraError } from '../../../base/errors';
import { errorText } from '../../../base/number-text';
import type { OrtDevice, Place, TfjsBackend } from '../../../engine/place';

/**
 * The largest error that passes, against PyTorch in float64. Errors are relative: for tensors to their largest
 * magnitude, for losses and norms to their value. For curves they are relative above 1 and absolute below.
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

/** Tolerances for the host's float64 computations on every device. */
export const HOST = { bases: 1e-5, sigma: 1e-5, mergedDelta: 1e-5 };

/** Devices of ONNX Runtime. */
const TOLERANCES: Record<OrtDevice, Tolerances> = {
  cpu: FLOAT32,
  // Also float32, so no looser. Worst on Mesa's lavapipe, over all reference files: loss 5.6e-7, logits 3.8e-6,
  // gradients 4.1e-5, curve 3.0e-7, trainedNorms 4.8e-7, mergedLogits 6.6e-6, sigma 1.7e-7, its gradients 4.2e-7.
  webgpu: FLOAT32,
  // Not measured, for lack of a card. TensorFloat-32 is off (session.ts), so this is float32 too.
  cuda: FLOAT32,
};

/** Backends of TensorFlow.js: also float32, so no looser. Above each, its worst errors over all reference files. */
const TFJS_TOLERANCES: Record<TfjsBackend, Tolerances> = {
  // loss 3.9e-7, logits 1.6e-6, gradients 1.5e-5, curve 2.9e-7, trainedNorms 5.0e-7, mergedLogits 8.4e-6
  cpu: FLOAT32,
  // loss 2.3e-7, logits 2.6e-6, gradients 6.5e-5, curve 6.3e-7, trainedNorms 4.8e-7, mergedLogits 4.8e-6
  wasm: FLOAT32,
  // On Mesa's lavapipe: loss 3.9e-7, logits 4.0e-6, gradients 3.8e-5, curve 3.1e-7, trainedNorms 5.8e-7,
  // mergedLogits 6.7e-6
  webgpu: FLOAT32,
  // Not measured: its native library was not available.
  tensorflow: FLOAT32,
};

export const tolerancesOf = (place: Place): Tolerances =>
  place.engine === 'onnxruntime' ? TOLERANCES[place.device] : TFJS_TOLERANCES[place.device];

/**
 * The tolerances of a case: those of the device, or the case's own where its file has them.
 *
 * @param path of the file, for errors
 * @throws AuroraError 'usage' for a name or a value that is not one of a tolerance
 */
export function caseTolerances(place: Place, own: Partial<Tolerances> | undefined, path: string): Tolerances {
  const known = tolerancesOf(place);
  for (const [name, value] of Object.entries(own ?? {})) {
    if (!Object.hasOwn(known, name))
      throw new AuroraError(
        'usage',
        `${path}: tolerance has the key "${name}".`,
        `The keys are ${Object.keys(known).join(', ')}.`,
      );
    if (!(Number.isFinite(value) && value > 0))
      throw new AuroraError(
        'usage',
        `${path}: tolerance.${name} is ${JSON.stringify(value)}.`,
        'Enter a positive number.',
      );
  }
  return { ...known, ...own };
}

/** The table of `aurora reference --help`. */
export function tolerancesTable(): string {
  const columns = [
    ...Object.entries(TOLERANCES),
    ...Object.entries(TFJS_TOLERANCES).map(([device, t]) => [`tfjs ${device}`, t] as const),
  ];
  const rows = Object.keys(FLOAT32).map((kind) => [
    kind,
    ...columns.map(([, t]) => errorText(t[kind as keyof Tolerances])),
  ]);
  return [['', ...columns.map(([name]) => name)], ...rows]
    .map(([first, ...cells]) =>
      `  ${first.padEnd(15)}${cells.map((c, i) => c.padEnd(Math.max(5, columns[i][0].length) + 2)).join('')}`.trimEnd(),
    )
    .join('\n');
}
