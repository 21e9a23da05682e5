import { attrInt } from '../graph/attributes';
import type { GraphBuilder } from '../graph/builder';
import { DType } from '../graph/dtype';
import type { HostTensor, HostTensors, TensorInfos } from '../graph/tensor-infos';
import { PASSES } from '../graph/layers/weight-operands';
import { elementCount, type Graph, type Node } from '../graph/model';
import { isBnb4 } from '../graph/quantized/bnb4';
import { isNBits } from '../graph/quantized/nbits';
import { IGNORE_LABEL } from './objective';

/** The smallest vocabulary for it: in smaller ones, the logits of all positions cost little. */
const LEAST_CLASSES = 4096;

/** Input of a step: where a batch has labels, as rows of its positions. */
export const LABEL_ROWS = 'aurora.label-rows';

/** Operators that compute each row from that row alone, if their other input is a constant for all of them. */
const ROW_WISE = new Set(['Add', 'Sub', 'Mul', 'Div', 'Tanh', 'Identity', 'Cast', 'Reshape']);

/**
 * A language model's output layer on the positions with a label alone: the logits of all positions of a large vocabulary
 * take more memory than the rest of a step, and most of their gradient is zero.
 *
 * @param logits (…, classes), of the graph that `g` adds to
 * @param infos of the model's tensors, from a probe
 * @returns logits (rows, classes) for the input LABEL_ROWS; undefined if there are few classes, if an adapter changes the
 *   layer, or if something else is between it and the logits
 */
export function logitsAtLabels(
  g: GraphBuilder,
  infos: TensorInfos,
  logits: string,
  least = LEAST_CLASSES,
): string | undefined {
  const classes = infos.get(logits)?.shape.at(-1);
  const chain =
    typeof classes === 'number' && classes >= least ? outputLayer(g.graph, infos, logits) : undefined;
  const product = chain?.at(-1);
  const x = product?.inputs[0];
  const info = x === undefined ? undefined : infos.get(x);
  const width = info?.shape.at(-1);
  if (!chain || !info || typeof width !== 'number') return undefined;
  const leading = info.shape.slice(0, -1);
  const isFixed = leading.every((d) => typeof d === 'number');
  const rows = g.addInput(LABEL_ROWS, DType.int64, [
    isFixed ? elementCount(leading as number[]) : LABEL_ROWS,
  ]);
  let y = g.op('Gather', [g.op('Reshape', [x!, g.ints([-1, width])]), rows]);
  for (const node of chain.reverse()) {
    if (node.opType === 'Reshape') continue;
    const from = node === product ? 0 : dataInput(g.graph, node);
    const made = g.fresh(node.opType);
    g.sink.push({
      ...node,
      name: made,
      inputs: node.inputs.map((name, i) => (i === from ? y : name)),
      outputs: [made],
    });
    y = made;
  }
  return y;
}

/** The nodes from the logits back to the product with a frozen weight; undefined if others are among them. */
function outputLayer(graph: Graph, infos: TensorInfos, logits: string): Node[] | undefined {
  const makers = new Map(graph.nodes.flatMap((n) => n.outputs.map((y) => [y, n] as const)));
  const width = (name: string) => infos.get(name)?.shape.at(-1);
  const chain: Node[] = [];
  for (let at = logits; ;) {
    const node = makers.get(at);
    if (!node || node.outputs.length > 1) return undefined;
    chain.push(node);
    if (isProduct(graph, makers, node)) return chain;
    const from = dataInput(graph, node);
    if (node.domain !== '' || !ROW_WISE.has(node.opType) || from === undefined) return undefined;
    if (width(node.inputs[from]) !== width(logits)) return undefined;
    at = node.inputs[from];
  }
}

/**
 * The index of a node's input that is not a constant, such as a vector that is added to all rows or the shape of a
 * Reshape.
 */
function dataInput({ initializers }: Graph, { opType, inputs }: Node): number | undefined {
  const isConstant = (name: string) => (initializers.get(name)?.dims.length ?? 2) <= 1;
  if (opType === 'Reshape' || inputs.length !== 2) return 0;
  const [a, b] = inputs.map(isConstant);
  return a === b ? undefined : a ? 1 : 0;
}

/** True if a node multiplies rows by a weight that is not trained. */
function isProduct({ initializers }: Graph, makers: ReadonlyMap<string, Node>, node: Node): boolean {
  const isFrozen = (name: string): boolean => {
    const maker = makers.get(name);
    if (!maker) return name === '' || initializers.has(name);
    return PASSES.has(maker.opType) && maker.inputs.every(isFrozen);
  };
  const isPlain = node.domain === '' && (node.opType === 'MatMul' || node.opType === 'Gemm');
  const isOne = isPlain || isNBits(node) || isBnb4(node);
  if (!isOne || attrInt(node, 'transA', 0) === 1) return false;
  return node.inputs.slice(1).every(isFrozen);
}

/**
 * The inputs of a batch as a graph with `logitsAtLabels` takes them: the labels (batch, length) that count, and their
 * rows. Falls back to one ignored label.
 *
 * @param ahead the number of positions from the one that predicts a label to the label
 */
export function atLabelRows(inputs: HostTensors, labels: string, ahead: number): HostTensors {
  const {
    dims: [batch, length],
    data,
  } = inputs[labels];
  const rows: bigint[] = [];
  const found: bigint[] = [];
  for (let at = 0; at < batch; at++)
    for (let i = 0; i + ahead < length; i++) {
      const label = (data as BigInt64Array)[at * length + i + ahead];
      if (Number(label) === IGNORE_LABEL) continue;
      rows.push(BigInt(at * length + i));
      found.push(label);
    }
  if (rows.length === 0) {
    rows.push(0n);
    found.push(BigInt(IGNORE_LABEL));
  }
  const tensor = (values: bigint[]): HostTensor => ({
    dtype: DType.int64,
    dims: [values.length],
    data: BigInt64Array.from(values),
  });
  return { ...inputs, [LABEL_ROWS]: tensor(rows), [labels]: tensor(found) };
}
