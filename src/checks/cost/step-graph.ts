import type { LayerAdapter } from '../../adapters/targets/select';
import { GRAD_SCALE } from '../../engine/onnxruntime/step-constants';
import { differentiate } from '../../graph/autodiff/differentiate';
import { GraphBuilder } from '../../graph/builder';
import { DType, isFloat } from '../../graph/dtype';
import { elementCount, isFileRef, outputsNamed, type Graph, type Model } from '../../graph/model';
import { halvesInPieces } from '../../graph/pieces/halves';
import { nbitsInPieces } from '../../graph/pieces/nbits';
import { prune } from '../../graph/reads';
import { fixSizes, type FixedGraph } from '../../graph/sizes/sizes';
import { tensorOf } from '../../graph/values';
import { buildTaskGraph, type TaskGraph } from '../../tasks/task-graph';
import type { AnswerSpec } from './answer';

export interface StepSpec extends AnswerSpec {
  adapters: readonly LayerAdapter[];
}

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
  const gradients = differentiate(graph, infos, seeds, trained, task.stop);
  graph.outputs = outputsNamed([task.lossSum, task.count, ...gradients.values()]);
  const pieces = nbitsInPieces(halvesInPieces(prune(graph)));
  return fixSizes(pieces, new Map([...sizes, [GRAD_SCALE, []]]));
}

/** The graph of an evaluation. */
export function evaluationGraph(fixed: FixedModel, spec: StepSpec, inputs: Sizes): FixedGraph {
  const task = buildTaskGraph(fixed.model, fixed.infos, spec, false);
  const outputs = outputsNamed([task.lossSum, task.count, task.logits]);
  return fixSizes(halvesInPieces(prune({ ...task.model.graph, outputs })), taskSizes(task, inputs));
}

/** The sizes of inputs and of trained tensors, labels and dropout masks, which have the sizes of known tensors. */
function taskSizes({ model, trainable }: TaskGraph, inputs: Sizes): Sizes {
  const trained = new Map(trainable.map((t) => [t.name, t.dims]));
  return new Map(
    model.graph.inputs.map(({ name, shape }) => [
      name,
      inputs.get(name) ?? trained.get(name) ?? (shape as number[]),
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
