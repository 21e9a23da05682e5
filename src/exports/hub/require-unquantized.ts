import { AuroraError } from '../../base/errors';
import type { Experiment } from '../../experiment/experiment';

/** @throws AuroraError 'usage' for adapters that were trained on quantized weights */
export function requireUnquantized({ model: { path, quantize } }: Experiment): void {
  if (quantize)
    throw new AuroraError(
      'usage',
      `The adapters were trained on ${path} in ${quantize} bits (model.quantize), and --as safetensors writes its own weights.`,
      'Export with --as onnx-merged or onnx-dynamic.',
    );
}
