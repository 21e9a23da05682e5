import type { LayerAdapter } from '../../adapters/targets/select';
import { declaredOutputs, type OutputChoice, taskOutput } from '../../adapters/task-output';
import { own } from '../../base/names';
import { GRAD_SCALE } from '../../engine/onnxruntime/step-constants';
import { readsPatches } from '../../experiment/image-inputs';
import { differentiate } from '../../graph/autodiff/differentiate';
import { GraphBuilder } from '../../graph/builder';
import { DType, isFloat } from '../../graph/dtype';
import {
  elementCount,
  type Graph,
  isFileRef,
  type Model,
  outputsNamed,
  type Tensor,
  type ValueInfo,
} from '../../graph/model';
import { columnProducts } from '../../graph/int8/column-products';
import { frozenProducts, markFrozenProducts } from '../../graph/int8/frozen-products';
import { LARGEST, withInt8Products } from '../../graph/int8/int8-products';
import { factorSizes, type Int8Weight, storedWeight, weightKey } from '../../graph/int8/weights-file';
import { halvesInPieces } from '../../graph/pieces/halves';
import { nbitsInPieces } from '../../graph/pieces/nbits-pieces';
import { prune } from '../../graph/reads';
import { type FixedGraph, fixSizes } from '../../graph/sizes/sizes';
import { tensorOf } from '../../graph/values';
import { unread } from '../../quantize/quantized-graph';
import { HEAD_BIAS, HEAD_WEIGHT, type HeadSpec } from '../../tasks/head';
import type { ObjectiveName } from '../../tasks/objective';
import { buildTaskGraph, type TaskGraph } from '../../tasks/task-graph';

export interface StepSpec extends AnswerSpec {
  adapters: readonly LayerAdapter[];
  /** Set if products with frozen weights are in int8. */
  int8?: Int8Copies;
}

/** Where the backward pass finds weights that are stored in int8: transposed in each step, or in a copy. */
export type Int8Copies = 'one-copy' | 'two-copies';

/** A model for one size of its inputs, without the weights' values. */
export interface FixedModel extends FixedGraph {
  model: Model;
}

type Sizes = ReadonlyMap<string, number[]>;

/**
 * @param model at the internal opset
 * @throws UnknownSize if a shape is only known once the model runs
 */
export function fixedModel(model: Model, inputs: Sizes): FixedModel {
  const { graph, infos } = fixSizes(withoutWeights(model.graph), inputs);
  return { model: { ...model, graph }, graph, infos };
}

/**
 * The graph of a training step, forward and backward, as ONNX Runtime would get it for batches of this size.
 *
 * @throws UnknownSize as above
 * @throws AuroraError 'operator' if a gradient is missing
 */
export function stepGraph(fixed: FixedModel, spec: StepSpec, inputs: Sizes): FixedGraph {
  const task = buildTaskGraph(fixed.model, fixed.infos, spec, true, true);
  const sizes = taskSizes(task, inputs);
  const { graph: forward, infos } = fixSizes(task.model.graph, sizes);
  const graph: Graph = { ...forward, inputs: [...forward.inputs] };
  new GraphBuilder(graph, '/seed').addInput(GRAD_SCALE, DType.float, []);
  const trained = task.trainable.map((t) => t.name);
  const seeds = new Map([[task.lossSum, GRAD_SCALE]]);
  if (spec.int8) graph.nodes = markFrozenProducts(graph, fixed.graph, trained).nodes;
  const gradients = differentiate(graph, infos, seeds, trained, task.stop);
  graph.outputs = outputsNamed([task.lossSum, task.count, ...gradients.values()]);
  const step = spec.int8 ? inInt8(fixed.model, prune(graph), spec.int8) : prune(graph);
  const pieces = nbitsInPieces(halvesInPieces(step));
  return fixSizes(pieces, new Map([...sizes, [GRAD_SCALE, []]]));
}

/** The graph of an evaluation. */
export function evaluationGraph(fixed: FixedModel, spec: StepSpec, inputs: Sizes): FixedGraph {
  const task = buildTaskGraph(fixed.model, fixed.infos, spec, false);
  const outputs = outputsNamed([task.lossSum, task.count, task.logits]);
  const answer = { ...task.model, graph: prune({ ...task.model.graph, outputs }) };
  const { graph } = columnProducts(answer, LARGEST);
  return fixSizes(nbitsInPieces(halvesInPieces(graph)), taskSizes(task, inputs));
}

/** A graph with its marked products in int8, of weights without values. */
function inInt8(model: Model, graph: Graph, copies: Int8Copies): Graph {
  const weights = new Map<string, Int8Weight>();
  const turned = ({ name, dtype, dims }: Tensor): Tensor =>
    outlined(`${name}.transposed`, dtype, dims.toReversed());
  for (const product of frozenProducts(graph).values()) {
    const key = weightKey(product);
    const { operand, stored } = product;
    const [inputs, outputs] = factorSizes(operand);
    weights.set(
      key,
      stored
        ? storedWeight(product, copies === 'two-copies' ? turned(stored.values) : undefined)
        : {
            values: outlined(key, DType.int8, [inputs, outputs]),
            scales: tensorOf(`${key}.scales`, DType.float, [outputs], new Array<number>(outputs).fill(1)),
          },
    );
  }
  return withInt8Products({ ...model, graph }, weights).graph;
}

const outlined = (name: string, dtype: number, dims: number[]): Tensor => ({
  ...{ name, dtype, dims },
  data: unread({ dtype, dims }),
});

/** The sizes of inputs and of trained tensors, labels and dropout masks, which have the sizes of known tensors. */
function taskSizes({ model, trainable, frozen }: TaskGraph, inputs: Sizes): Sizes {
  const fed = new Map([...trainable, ...frozen].map((t) => [t.name, t.dims]));
  return new Map(
    model.graph.inputs.map(({ name, shape }) => [
      name,
      inputs.get(name) ?? fed.get(name) ?? (shape as number[]),
    ]),
  );
}

/** Gradient rules look at the scales and biases of norms: those in files get values here that are usual. */
function withoutWeights(graph: Graph): Graph {
  const initializers = [...graph.initializers].map(([name, tensor]) => {
    const { dtype, dims, data } = tensor;
    const stays = !isFileRef(data) || dims.length !== 1 || !isFloat(dtype);
    const ones = () => new Array<number>(elementCount(dims)).fill(1);
    return [name, stays ? tensor : tensorOf(name, dtype, dims, ones())] as const;
  });
  return { ...graph, initializers: new Map(initializers) };
}

/** The loss and the output of a model that it reads. */
interface AnswerSpec {
  objective: ObjectiveName;
  head?: HeadSpec;
  /** The tensor that the head or the loss reads. */
  output: string;
}

/** Objectives by the number of axes of a model's own output: words of a text, or a picture. */
const OBJECTIVE: Readonly<Record<number, ObjectiveName>> = { 3: 'causal-lm', 4: 'noise-mse' };

/** Outputs that are answers. */
const WITHOUT_HEAD = ['logits', 'out_sample'];

/** A new head's size hardly matters. */
const CLASSES = 2;

/**
 * The answer that a model is trained for: with a head, a new classifier on its hidden states; without one, its own
 * logits, of the next token or of classes, or the noise in a picture.
 *
 * @param choice the experiment's settings; without `head`, a model that has logits or predicts a picture is trained on
 *   them
 * @throws AuroraError 'model' if there is no such output, or it is not clear which one is meant
 */
export function answerOf(
  { graph, infos }: FixedGraph,
  {
    head = !graph.outputs.some((o) => WITHOUT_HEAD.includes(o.name)),
    output: wanted,
  }: Partial<OutputChoice> = {},
): AnswerSpec {
  const output = taskOutput(declaredOutputs(graph), { output: wanted, head });
  if (!head) return { output, objective: OBJECTIVE[infos.get(output)?.shape.length ?? 0] ?? 'cross-entropy' };
  const spec = { pooling: 'first-token' as const, classes: CLASSES, weight: HEAD_WEIGHT, bias: HEAD_BIAS };
  return { output, objective: 'cross-entropy', head: spec };
}

export interface BatchSize {
  /** Examples in a step. */
  batch: number;
  /** Tokens of each text. */
  length: number;
  /** The usual sizes of open axes, by their names in the model: they come before the others. */
  usual?: Readonly<Record<string, number>>;
}

/** The size of images whose file leaves it open: that of most models' training. */
const IMAGE = { channels: 3, side: 224 };

/** Sizes of a model's inputs for a batch: an image's own, and of texts the length. */
export function inputSizes(
  { inputs, initializers }: Graph,
  { batch, length, usual = {} }: BatchSize,
): Map<string, number[]> {
  const sizeOf = ({ dtype, shape }: ValueInfo, axis: number): number => {
    if (axis === 0) return batch;
    if (!isFloat(dtype) || shape!.length !== 4) return length;
    return axis === 1 ? IMAGE.channels : IMAGE.side;
  };
  const sizes = new Map<string, number[]>();
  for (const input of inputs) {
    if (!input.shape || initializers.has(input.name)) continue;
    sizes.set(
      input.name,
      input.shape.map((d, axis) => {
        if (typeof d === 'number') return d;
        return (axis > 0 && d !== undefined ? own(usual, d) : undefined) ?? sizeOf(input, axis);
      }),
    );
  }
  return sizes;
}

/**
 * The reason why no batch of another size than the file's can be computed: exporters write its size into the operators,
 * too.
 */
export function fixedBatch({ inputs, initializers }: Graph): string | undefined {
  const fixed = inputs.find(
    ({ name, shape = [] }) => !initializers.has(name) && shape.length > 1 && typeof shape[0] === 'number',
  );
  return (
    fixed &&
    `The input ${fixed.name} is for batches of ${fixed.shape![0]}. Export the model again with a dynamic batch axis (dynamic_axes of torch.onnx.export).`
  );
}

/** True if a model reads texts rather than images. */
export const readsTexts = ({ inputs }: Graph): boolean =>
  !readsPatches(inputs) && inputs.some(({ dtype, shape }) => !isFloat(dtype) && shape?.length === 2);
