import { append } from '../../base/gathered';
import type { Tensor as TfTensor } from '@tensorflow/tfjs-core';
import { isFloat } from '../../graph/dtype';
import type { Node } from '../../graph/model';
import { AuroraError } from '../../base/errors';
import { contextOf, describeNode } from './context';
import { memoryError } from './failures';
import type { Frozen } from './frozen';
import type { Op, Tf, Value } from './op';
import { operatorsOf } from './operator-registry';
import { upload } from './value';

/**
 * A graph to run node by node. A node's results on the backend are released after their last reader, so that an
 * evaluation needs no more memory than its widest point; tfjs itself keeps the tensors that a gradient needs.
 */
export class Interpreter {
  private readonly ops: ReadonlyMap<Node, Op>;
  /** The tensors that each node is the last to read. */
  private readonly dead = new Map<Node, string[]>();

  /**
   * @param nodes in execution order
   * @param outputs the tensors that are read after all have run
   * @param stop tensors that no gradient passes
   * @throws AuroraError 'operator' for an unsupported node
   */
  constructor(
    private readonly tf: Tf,
    nodes: readonly Node[],
    outputs: readonly string[],
    private readonly frozen: Frozen,
    private readonly stop: ReadonlySet<string> = new Set(),
  ) {
    this.ops = operatorsOf(nodes);
    const last = new Map<string, Node>();
    for (const node of nodes) for (const name of [...node.inputs, ...node.outputs]) last.set(name, node);
    for (const name of outputs) last.delete(name);
    for (const [name, node] of last) append(this.dead, node, name);
  }

  /**
   * Runs nodes of the graph in order and stores their results in `values`.
   * @param values by name; also the nodes' inputs
   * @param kept owned by others: constants and trainable tensors are never released here
   */
  run(nodes: readonly Node[], values: Map<string, Value>, kept: { has(name: string): boolean }): void {
    const owners = new Map<TfTensor, number>();
    const count = (v: Value, by: number) => {
      if (v.on === 'device') owners.set(v.tensor, (owners.get(v.tensor) ?? 0) + by);
    };
    for (const v of values.values()) count(v, 1);
    for (const node of nodes) {
      this.runNode(node, values).forEach((v, i) => {
        const name = node.outputs[i];
        if (!name) return;
        values.set(name, v);
        count(v, 1);
      });
      for (const name of this.dead.get(node) ?? []) {
        const v = values.get(name);
        if (!v || kept.has(name)) continue;
        values.delete(name);
        count(v, -1);
        if (v.on === 'device' && owners.get(v.tensor) === 0) v.tensor.dispose();
      }
    }
  }

  private runNode(node: Node, values: ReadonlyMap<string, Value>): Value[] {
    const { tf } = this;
    const detached = node.outputs.some((y) => this.stop.has(y));
    const inputs = node.inputs.map((x) => (x === '' ? undefined : values.get(x)));
    const tensor = (v: Value): TfTensor => {
      if (v.on === 'host')
        return this.frozen.uploaded(v) ?? upload(tf, v.tensor, `An input of ${describeNode(node)}`);
      return detached ? detach(tf, v.tensor) : v.tensor;
    };
    let results: Value[] = [];
    try {
      tf.tidy(() => {
        const made = this.ops.get(node)!(contextOf(tf, node, inputs, tensor));
        // Only floats carry gradients, but tfjs would search for others. A view may return its input itself.
        results = made.map((v) =>
          v.on === 'host' || (isFloat(v.dtype) && !detached) ? v : { ...v, tensor: detach(tf, v.tensor) },
        );
        return results.flatMap((v) => (v.on === 'device' ? [v.tensor] : []));
      });
    } catch (e) {
      throw memoryError(tf, e) ?? doesNotRun(node, e);
    }
    return results;
  }
}

/** Copies of the values under an identity that the tape has not seen. */
function detach(tf: Tf, tensor: TfTensor): TfTensor {
  const engine = tf.engine();
  engine.backend.incRef(tensor.dataId);
  return engine.makeTensorFromTensorInfo(tensor);
}

function doesNotRun(node: Node, cause: unknown): Error {
  if (cause instanceof AuroraError) return cause;
  const { message } = cause as Error;
  return new AuroraError(
    'operator',
    `TensorFlow.js failed to run ${describeNode(node)}: ${message.replace(/[.\s]+$/, '')}.`,
    'Use another device of this engine, or the ONNX Runtime engine.',
    { cause },
  );
}
