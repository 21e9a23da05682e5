import type { Tensor as TfTensor } from '@tensorflow/tfjs-core';
import type { Model } from '../../graph/model';
import type { Executable, HostTensors } from '../engine';
import type { EvaluatorOptions } from '../stepper';
import { loadBackend, selectBackend } from './backends/backend';
import { attempt } from './failures';
import { Frozen } from './frozen';
import { Interpreter } from './interpreter';
import type { Value } from './op';
import { download, feeds } from './transfer';
import { fromDevice } from './value';
import { nameTable } from '../../base/names';

export async function openForward({ graph }: Model, options: EvaluatorOptions): Promise<Executable> {
  const tf = await loadBackend(options);
  const backend = tf.getBackend();
  const outputs = graph.outputs.map((o) => o.name);
  const frozen = new Frozen(tf);
  const interpreter = new Interpreter(tf, graph.nodes, outputs, frozen);
  const constants = frozen.of(graph);
  const kept = new Set(constants.keys());
  return {
    async run(inputs, fetches = outputs) {
      const results = new Map<string, Value>();
      const forward = (): TfTensor[] => {
        const values = new Map([...constants, ...feeds(tf, graph, inputs)]);
        interpreter.run(graph.nodes, values, kept);
        for (const name of fetches) {
          const v = values.get(name)!;
          // Its own copy: a tensor may have several names.
          results.set(name, v.on === 'host' ? v : { ...v, tensor: tf.clone(v.tensor) });
        }
        return [...results.values()].flatMap((v) => (v.on === 'device' ? [v.tensor] : []));
      };
      await selectBackend(tf, backend);
      const data = await download(
        tf,
        attempt(tf, () => tf.tidy(forward)),
      );
      const out: HostTensors = nameTable();
      for (const [name, v] of results)
        out[name] = v.on === 'host' ? v.tensor : fromDevice(v.dtype, v.tensor.shape, data.shift()!);
      return out;
    },
    async dispose() {
      frozen.dispose();
    },
  };
}
