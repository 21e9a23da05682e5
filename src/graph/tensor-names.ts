import { AuroraError } from '../base/errors';
import type { Model } from './model';

/**
 * Rejects a model with a tensor named `__proto__`: ONNX Runtime passes tensors by name in plain objects, where that
 * name is the object's prototype.
 *
 * @throws AuroraError 'model'
 */
export function checkTensorNames({ graph }: Model, path: string): void {
  const taken =
    graph.initializers.has('__proto__') ||
    graph.inputs.some((i) => i.name === '__proto__') ||
    graph.nodes.some((n) => n.outputs.includes('__proto__'));
  if (taken)
    throw new AuroraError(
      'model',
      `${path} has a tensor named __proto__, which ONNX Runtime's JavaScript API cannot handle.`,
      'Rename the tensor, or export the model again.',
    );
}
