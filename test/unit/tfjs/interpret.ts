import type { Tensor as TfTensor } from '@tensorflow/tfjs-core';
import { loadBackend } from '../../../src/engine/tfjs/backends';
import { Frozen } from '../../../src/engine/tfjs/frozen';
import { Interpreter } from '../../../src/engine/tfjs/interpreter';
import type { Tf, Value } from '../../../src/engine/tfjs/op';
import { fromDevice, upload } from '../../../src/engine/tfjs/value';
import type { TfjsBackend } from '../../../src/engine/place';
import { isFloat } from '../../../src/graph/dtype';
import type { HostTensor, HostTensors } from '../../../src/graph/tensor-infos';
import type { Graph } from '../../../src/graph/model';

/** The places of a graph's inputs: as in training (integers and scalars on the host), or all on one side. */
export type Sides = 'usual' | 'host' | 'device';

/** A graph's outputs from the interpreter, with float16 and float64 as float32. */
export async function interpret(
  graph: Graph,
  feeds: HostTensors,
  device: TfjsBackend = 'cpu',
  sides: Sides = 'usual',
): Promise<HostTensors> {
  const { tf, interpreter, constants, kept, dispose } = await opened(graph, device);
  const dtypes = new Map<string, number>();
  const tensors = tf.tidy(() => {
    const values = new Map([...constants, ...given(tf, feeds, sides)]);
    interpreter.run(graph.nodes, values, kept);
    return graph.outputs.map(({ name }) => {
      const v = values.get(name)!;
      dtypes.set(name, v.on === 'host' ? v.tensor.dtype : v.dtype);
      return tf.clone(v.on === 'host' ? upload(tf, v.tensor) : v.tensor);
    });
  });
  const out = await read(
    graph.outputs.map((o) => o.name),
    tensors,
    dtypes,
  );
  dispose();
  return out;
}

/** Gradients of Σ y·w over the outputs, from tfjs's own tape. */
export async function tapeGradients(
  graph: Graph,
  feeds: HostTensors,
  weights: HostTensors,
  wrt: readonly string[],
  device: TfjsBackend = 'cpu',
): Promise<HostTensors> {
  const { tf, interpreter, constants, kept, dispose } = await opened(graph, device);
  const tensors = tf.tidy(() => {
    const values = new Map([...constants, ...given(tf, feeds, 'usual')]);
    const loss = (...xs: TfTensor[]): TfTensor => {
      wrt.forEach((name, i) => values.set(name, { on: 'device', tensor: xs[i], dtype: feeds[name].dtype }));
      interpreter.run(graph.nodes, values, new Set([...kept, ...wrt]));
      const parts = Object.entries(weights).map(([name, w]) => {
        const v = values.get(name)!;
        return tf.sum(tf.mul(v.on === 'host' ? upload(tf, v.tensor) : v.tensor, upload(tf, w)));
      });
      return tf.addN(parts);
    };
    return tf.grads(loss)(wrt.map((name) => upload(tf, feeds[name])));
  });
  const out = await read(wrt, tensors, new Map(wrt.map((name) => [name, feeds[name].dtype])));
  dispose();
  return out;
}

async function opened(graph: Graph, device: TfjsBackend) {
  const tf = await loadBackend({ place: { engine: 'tfjs', device } });
  const frozen = new Frozen(tf);
  return {
    tf,
    interpreter: new Interpreter(
      tf,
      graph.nodes,
      graph.outputs.map((o) => o.name),
      frozen,
    ),
    constants: frozen.of(graph),
    kept: new Set(graph.initializers.keys()),
    dispose: () => frozen.dispose(),
  };
}

const given = (tf: Tf, feeds: HostTensors, sides: Sides): [string, Value][] =>
  Object.entries(feeds).map(([name, t]): [string, Value] =>
    sides === 'host' || (sides === 'usual' && (!isFloat(t.dtype) || t.data.length <= 1))
      ? [name, { on: 'host', tensor: t }]
      : [name, { on: 'device', tensor: upload(tf, t), dtype: t.dtype }],
  );

async function read(
  names: readonly string[],
  tensors: TfTensor[],
  dtypes: ReadonlyMap<string, number>,
): Promise<HostTensors> {
  const out: Record<string, HostTensor> = {};
  for (const [i, t] of tensors.entries())
    out[names[i]] = fromDevice(dtypes.get(names[i])!, t.shape, await t.data());
  tensors.forEach((t) => t.dispose());
  return out;
}
