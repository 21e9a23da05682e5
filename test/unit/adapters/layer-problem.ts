import { storedTensors } from '../../../src/adapters/stored-tensors';
import type { Values } from '../../../src/adapters/methods/method';
import { injectAdapters } from '../../../src/adapters/inject';
import { layerValues } from '../../../src/adapters/methods/layer-values';
import type { MethodName } from '../../../src/experiment/methods';
import { DType } from '../../../src/graph/dtype';
import { elementCount } from '../../../src/graph/model';
import { tensorOf } from '../../../src/graph/values';
import type { Problem } from '../autodiff/problem';
import { adapted, type Form, layerModel } from './one-layer';
import { SETTINGS } from './settings';

/**
 * An adapted layer in float64, trained by its input and by the adapter's tensors, with the gradients that a step has: they stop
 * where the method says so. Frozen tensors have their initial values.
 */
export function layerProblem(
  method: MethodName,
  over: object,
  size: readonly [number, number],
  form: Form,
): Problem {
  const base = layerModel(...size, form, DType.double);
  const { adapters, adapter } = adapted(base, method, over);
  const stored = storedTensors(adapters);
  const none = { uniform: () => 0.7, normal: () => 0.4 };
  const problem: Problem = {
    inputs: {
      x: { shape: form.startsWith('Gemm') ? [3, size[0]] : [2, 3, size[0]] },
      ...Object.fromEntries(
        stored.flatMap(({ name, tensor }) => (tensor.frozen ? [] : [[name, { shape: tensor.dims }]])),
      ),
    },
    build(g) {
      const { graph, stop } = injectAdapters(base.graph, adapters, DType.double);
      problem.stop = stop;
      g.graph.nodes.push(...graph.nodes);
      for (const tensor of graph.initializers.values()) g.addInitializer(tensor);
      const before: Values = {};
      for (const { name, tensor } of stored)
        if (tensor.frozen) {
          const own = layerValues(adapter.layer);
          const values = tensor.init(none, elementCount(tensor.dims), own, {
            values: before,
            sharing: [own],
          });
          before[tensor.name] = values;
          g.addInitializer(tensorOf(name, DType.double, tensor.dims, values));
        }
      return ['y'];
    },
    open: [],
  };
  return problem;
}

/** Settings whose gradients are not the derivatives of the loss, as the methods' papers or PEFT define them. */
const isOther = (method: MethodName, over: { inputGradient?: string; eps?: number }): boolean =>
  method === 'dora' || over.inputGradient === 'peft' || (over.eps !== undefined && over.eps < 10);

export const EXACT = [
  ...SETTINGS.filter(([method, over]) => !isOther(method, over)),
  ['lily', { rank: 3, numB: 2, scaling: 0.7 }, [[7, 5]]] as const,
  ['lily', { rank: 2, numB: 3, strideA: 2 }, [[5, 12]]] as const,
];
