import type { Tensor as TfTensor } from '@tensorflow/tfjs-core';
import { isFloat } from '../../graph/dtype';
import type { Model } from '../../graph/model';
import type { Executable, HostTensors } from '../engine';
import type { EvaluatorOptions } from '../stepper';
import { loadBackend, selectBackend } from './backends/backend';
import { attempt } from './failures';
import { Frozen } from './frozen';
import { Interpreter } from './interpreter';
import type { Value } from './op';
import { fromDevice, upload } from './value';

export async function openForward({ graph }: Model, options: EvaluatorOptions): Promise<Executable> {
  const tf = await loadBackend(options);
  const backend = tf.getBackend();
  const outputs = graph.outputs.map((o) => o.name);
  const frozen = new Frozen(tf);
  const interpreter = new Interpreter(tf, graph.nodes, outputs, frozen);
  const constants = frozen.of(graph);
  const kept = new Set(constants.keys());
  return {
    async run(feeds, fetches = outputs) {
      const results = new Map<string, Value>();
      const forward = (): TfTensor[] => {
        const given = graph.inputs.flatMap(({ name }): [string, Value][] => {
          const t = feeds[name];
          if (!t) return [];
          return [
            [
              name,
              isFloat(t.dtype)
                ? { on: 'device', tensor: upload(tf, t), dtype: t.dtype }
                : { on: 'host', tensor: t },
            ],
          ];
        });
        const values = new Map([...constants, ...given]);
        interpreter.run(graph.nodes, values, kept);
        for (const name of fetches) {
          const v = values.get(name)!;
          // Of its own: a tensor may go by several names.
          results.set(name, v.on === 'host' ? v : { ...v, tensor: tf.clone(v.tensor) });
        }
        return [...results.values()].flatMap((v) => (v.on === 'device' ? [v.tensor] : []));
      };
      await selectBackend(tf, backend);
      attempt(tf, () => tf.tidy(forward));
      const out: HostTensors = {};
      for (const [name, v] of results) {
        if (v.on === 'host') {
          out[name] = v.tensor;
          continue;
        }
        out[name] = fromDevice(v.dtype, v.tensor.shape, await v.tensor.data());
        v.tensor.dispose();
      }
      return out;
    },
    async dispose() {
      frozen.dispose();
    },
  };
}
