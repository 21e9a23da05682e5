import { namedAdapters, storedTensors } from '../adapters/stored-tensors';
import { injectAdapters } from '../adapters/inject';
import type { AdapterMethod } from '../adapters/methods/method';
import { methodOf } from '../adapters/methods/registry';
import { dropoutOf, type LayerAdapter } from '../adapters/targets/select';
import { noSuchOutput } from '../adapters/task-output';
import { AuroraError } from '../base/errors';
import { GraphBuilder } from '../graph/builder';
import { DType } from '../graph/dtype';
import { type Model, outputsNamed } from '../graph/model';
import { type DocumentPlaces, keepDocumentsApart } from '../graph/passes/keep-documents-apart';
import { prune } from '../graph/reads';
import { routerLoss } from '../graph/routed';
import type { TensorInfos } from '../graph/tensor-infos';
import { addHead, type HeadSpec, maskInput } from './head';
import { logitsAtLabels } from './label-rows';
import { type LossNodes, type ObjectiveName, OBJECTIVES, type TrainingLoss } from './objective';

export interface TaskGraphSpec {
  objective: ObjectiveName;
  head?: HeadSpec;
  /** The model output that the head or the loss reads. */
  output: string;
  adapters: readonly LayerAdapter[];
  /** Only in a step, whose rows may hold several documents: where the model mixes their tokens. */
  documents?: DocumentPlaces;
  /** Only in the loss of a step; an evaluation's is always the plain objective. */
  trainingLoss?: TrainingLoss;
}

/** True if a step's forward graph differs from that of an evaluation. */
export const trainsDifferently = ({ adapters, documents, trainingLoss }: TaskGraphSpec): boolean =>
  documents !== undefined ||
  trainingLoss !== undefined ||
  penaltyOf(adapters) !== undefined ||
  adapters.some((a) => dropoutOf(a.spec) > 0);

/** A tensor of the adapters or of the head: an input of the graph, float32. */
export interface FedTensor {
  name: string;
  dims: number[];
}

/** A trainable one. */
export interface TrainableInfo extends FedTensor {
  part: 'adapter' | 'head';
}

/**
 * The forward graph of a task: the user's model with adapters, head and loss. Trainable tensors and labels are inputs;
 * loss, logits and the adapters' observed tensors are outputs. Any engine can take it from here.
 */
export interface TaskGraph {
  model: Model;
  trainable: TrainableInfo[];
  /** Stored with the adapters, but not trained. */
  frozen: FedTensor[];
  labels: string;
  /** The name of the logits; only the rows with a label if `ahead` is known. */
  logits: string;
  /** The loss is that of the inputs that `atLabelRows` makes of a batch with this number. */
  ahead?: number;
  lossSum: string;
  count: string;
  /** No gradient needs to pass these. */
  stop: string[];
  /** z of every call of an adapted layer, by module path. */
  observed: Map<string, string[]>;
}

export const LABELS = 'aurora.labels';
/** Only in a step whose loss has them: how much each row counts, float32 (batch). */
export const EXAMPLE_WEIGHTS = 'aurora.exampleWeights';

/**
 * @param model    at the internal opset
 * @param infos    shapes of its tensors, from a probe
 * @param training of a step: with dropout masks, places of documents and weights of examples as inputs, and its own loss
 * @param atLabels true if a step's graph may compute logits only for the positions with a label
 */
export function buildTaskGraph(
  model: Model,
  infos: TensorInfos,
  spec: TaskGraphSpec,
  training: boolean,
  atLabels = false,
): TaskGraph {
  const output = infos.get(spec.output);
  if (!output)
    throw noSuchOutput(
      model.graph.outputs.map((o) => o.name),
      spec.output,
    );
  const { dtype } = output;
  const dropout = training ? infos : undefined;
  const { documents } = spec;
  const apart = training && documents ? keepDocumentsApart(model.graph, infos, documents) : model.graph;
  const { graph, observed, stop } = injectAdapters(apart, spec.adapters, dtype, { dropout });
  // Axes go by the names that the probe found for them, so that the labels' axes can be tied to the outputs'.
  graph.inputs = graph.inputs.map((i) => ({ ...i, shape: infos.get(i.name)?.shape ?? i.shape }));
  const g = new GraphBuilder(graph, '/task');
  const stored = storedTensors(spec.adapters).map(({ name, tensor }) => ({ ...tensor, name }));
  const frozen: FedTensor[] = stored.filter((t) => t.frozen).map(({ name, dims }) => ({ name, dims }));
  const trainable: TrainableInfo[] = stored
    .filter((t) => !t.frozen)
    .map(({ name, dims }) => ({ name, dims, part: 'adapter' }));
  let logits = spec.output;
  if (spec.head) {
    const { head } = spec;
    const hidden = output.shape.at(-1) as number;
    trainable.push({ name: head.weight, dims: [head.classes, hidden], part: 'head' });
    trainable.push({ name: head.bias, dims: [head.classes], part: 'head' });
    const mask = maskInput(graph.inputs.map((i) => i.name));
    logits = addHead(g, spec.output, output, head, mask);
  }
  for (const t of [...trainable, ...frozen]) g.addInput(t.name, dtype, t.dims);
  const objective = OBJECTIVES[spec.objective];
  const { dtype: labelType, rank } = objective.labels;
  // With a head, the answers have its outputs instead of the hidden states' axes.
  const all = spec.head ? [output.shape[0], spec.head.classes] : output.shape;
  const { ahead } = objective;
  const few =
    training && atLabels && !spec.head && ahead !== undefined ? logitsAtLabels(g, infos, logits) : undefined;
  const rows = few === undefined ? undefined : graph.inputs.at(-1)!.shape;
  const labels = g.addInput(LABELS, labelType, rows ?? (rank === 'all' ? all : output.shape.slice(0, rank)));
  logits = few ?? logits;
  const { trainingLoss } = training ? spec : {};
  const weights = trainingLoss?.exampleWeights
    ? g.addInput(EXAMPLE_WEIGHTS, DType.float, output.shape.slice(0, 1))
    : undefined;
  const loss = OBJECTIVES[few ? 'cross-entropy' : spec.objective].build(
    g,
    logits,
    labels,
    dtype,
    trainingLoss,
    weights,
  );
  const routed = spec.objective === 'causal-lm' ? withRouterLoss(g, model, loss, dtype) : loss.lossSum;
  const lossSum = training ? withPenalty(g, spec.adapters, { ...loss, lossSum: routed }, dtype) : routed;
  const outputs = [lossSum, loss.count, logits, ...[...observed.values()].flat()];
  graph.outputs = outputsNamed([...new Set(outputs)]);
  return {
    model: { ...model, graph: prune(graph) },
    trainable,
    frozen,
    labels,
    logits,
    ahead: few === undefined ? undefined : ahead,
    lossSum,
    count: loss.count,
    stop: [...stop, ...loss.stop],
    observed,
  };
}

/** The loss with that of the model's routers, if it has one, which counts as often as the tokens: a mean adds it once. */
function withRouterLoss(
  g: GraphBuilder,
  { metadata }: Model,
  { lossSum, count }: LossNodes,
  dtype: number,
): string {
  const routers = routerLoss(metadata);
  if (!routers) return lossSum;
  const added = g.op('Mul', [routers.output, g.scalar(routers.coefficient, dtype)]);
  return g.op('Add', [lossSum, g.op('Mul', [added, count])]);
}

/** The loss with the method's penalty, which counts as often as the examples: a mean adds it once. */
function withPenalty(
  g: GraphBuilder,
  adapters: readonly LayerAdapter[],
  { lossSum, count }: LossNodes,
  dtype: number,
): string {
  const penalty = penaltyOf(adapters)?.(g, namedAdapters(adapters), dtype);
  return penalty === undefined ? lossSum : g.op('Add', [lossSum, g.op('Mul', [penalty, count])]);
}

/** The penalty of a run's method, which is that of its first adapter. */
const penaltyOf = ([first]: readonly LayerAdapter[]): AdapterMethod['penalty'] =>
  first && methodOf(first.spec).penalty;

/** @throws AuroraError 'experiment' where a task has neither an adapter nor a head */
export function requireTrainable({ trainable }: TaskGraph): void {
  if (trainable.length === 0)
    throw new AuroraError(
      'experiment',
      'Nothing would be trained: there is no adapter and no head.',
      'Choose an adapter method, or task.head "linear".',
    );
}

/**
 * @param unreached names of trainable tensors that no loss depends on
 * @throws AuroraError 'targets' naming their layers, where there are any
 */
export function requireReached(unreached: readonly string[]): void {
  if (unreached.length === 0) return;
  const layers = new Set(unreached.map((name) => name.slice(0, name.lastIndexOf('.'))));
  throw new AuroraError(
    'targets',
    `These adapters do not reach the loss: ${[...layers].join(', ')}.`,
    'Their layers feed another output of the model: leave them out with adapter.excludeModules.',
  );
}
