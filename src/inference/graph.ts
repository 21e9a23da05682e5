import { storedTensors } from '../adapters/stored-tensors';
import { injectAdapters } from '../adapters/inject';
import type { HostTensors } from '../engine/stepper';
import { GraphBuilder } from '../graph/builder';
import { DType } from '../graph/dtype';
import { findLinearLayers, type LinearLayer, outputLayers } from '../graph/layers/linear';
import { outputsNamed, type Model, type ValueInfo } from '../graph/model';
import { prune } from '../graph/reads';
import { AuroraError } from '../base/errors';
import { PLAY_VARIANTS, type PlayVariant } from '../protocol/play-question';
import { withAdaptedConvolutions } from '../peft/adapted-convolutions';
import { fitAdapter, type FittedAdapter } from '../peft/fit';
import type { AdapterFolder } from '../peft/adapter-folder';
import { type AddedAdapter, ownHead, stackOn, type Weighing } from './adapter-stack';
import { addHead, HEAD_BIAS, HEAD_WEIGHT, maskInput } from '../tasks/head';
import { withoutAdapters } from '../training/task/adapted-model';
import { nameTable } from '../base/names';

/** A model that outputs its answer, with its adapter's tensors as inputs. */
export interface AnswerGraph {
  model: Model;
  /** The output name of each variant's answer. */
  answers: Record<PlayVariant, string>;
  /** The inputs besides the model's own. */
  parameters: Record<PlayVariant, HostTensors>;
  variants: readonly PlayVariant[];
  /** The head came with the adapter, and the base model uses it too. */
  sharedHead: boolean;
  /** With several adapters, or one whose weight is not 1. */
  weighing?: Weighing;
}

/** The model as in its file. */
export const plainGraph = (model: Model, answer: string): AnswerGraph => ({
  model,
  answers: { adapted: answer, base: answer },
  parameters: { adapted: {}, base: {} },
  variants: ['adapted'],
  sharedHead: false,
});

/**
 * The model with adapters from disk. A head that came with a single one replaces the model's own last layer, or follows the
 * hidden states if the model has no logits.
 *
 * @param stored at the internal opset
 * @param answer its logits, or hidden states of that shape
 * @param own the first adapter
 * @throws AuroraError 'adapter' if an adapter does not fit, or has a head beside others
 */
export function adaptedGraph(
  stored: Model,
  answer: ValueInfo,
  isLogits: boolean,
  [own, ...added]: readonly AddedAdapter[],
): AnswerGraph {
  const model = withAdaptedConvolutions(
    stored,
    [own!, ...added].map(({ from }) => from),
  );
  const layers = findLinearLayers(model.graph);
  const { from: folder, name, weight } = own!;
  const first = fitAdapter(folder, model.graph, layers);
  const { head } = first;
  if (head && added.length > 0) throw ownHead(name);
  const isAsTrained = weight === 1 && added.length === 0;
  const weighing = isAsTrained
    ? undefined
    : stackOn({ graph: model.graph, layers }, [{ ...first, name, weight }], added);
  const fitted = weighing?.stack ?? first;
  const { graph } = injectAdapters(model.graph, fitted.adapters, DType.float);
  const g = new GraphBuilder({ ...graph, outputs: [...graph.outputs] }, '/play');
  const inputs: HostTensors = nameTable();
  for (const { name, tensor } of storedTensors(fitted.adapters)) {
    g.addInput(name, DType.float, tensor.dims);
    inputs[name] = { dtype: DType.float, dims: tensor.dims, data: fitted.parameters.get(name)! };
  }
  const answers = { adapted: answer.name, base: answer.name };
  if (head) {
    const layer = isLogits ? lastLayer(model, layers, head, folder.folder) : undefined;
    const bias = head.bias ?? { dims: [head.weight.dims[0]], data: new Float32Array(head.weight.dims[0]) };
    g.addInput(HEAD_WEIGHT, DType.float, head.weight.dims);
    g.addInput(HEAD_BIAS, DType.float, bias.dims);
    inputs[HEAD_WEIGHT] = { dtype: DType.float, ...head.weight };
    inputs[HEAD_BIAS] = { dtype: DType.float, ...bias };
    answers.adapted = layer
      ? g.op('Add', [
          g.op('MatMul', [layer.calls[0].node.inputs[0], g.op('Transpose', [HEAD_WEIGHT])]),
          HEAD_BIAS,
        ])
      : headOnHidden(g, model, answer, head, folder);
    if (!layer) answers.base = answers.adapted;
  }
  return {
    model: { ...model, graph: g.graph },
    answers,
    parameters: { adapted: inputs, base: baseInputs(fitted, inputs) },
    variants: PLAY_VARIANTS,
    sharedHead: answers.base !== answer.name,
    ...(weighing && { weighing }),
  };
}

/** Feeds the weights of its adapters from now on. */
export function followWeights({ weighing, parameters }: AnswerGraph): void {
  for (const [name, data] of weighing!.stack.parameters) {
    const fed = parameters.adapted[name];
    if (fed) fed.data = data;
  }
}

/** The graph with only the answers as outputs. */
export function answersOnly({ model, answers }: AnswerGraph): Model {
  const outputs = outputsNamed([...new Set(Object.values(answers))]);
  return { ...model, graph: prune({ ...model.graph, outputs }) };
}

function baseInputs(
  { adapters, parameters }: Pick<FittedAdapter, 'adapters' | 'parameters'>,
  inputs: HostTensors,
): HostTensors {
  const base = withoutAdapters(adapters, parameters);
  return Object.fromEntries(
    Object.entries(inputs).map(([name, t]) => [name, { ...t, data: base.get(name) ?? t.data }]),
  );
}

type Head = NonNullable<FittedAdapter['head']>;

/** The layer that produces the model's own logits, which PEFT's `modules_to_save` replaces. */
function lastLayer(
  model: Model,
  layers: readonly LinearLayer[],
  { weight }: Head,
  folder: string,
): LinearLayer {
  const paths = outputLayers(model.graph, layers);
  const layer = layers.find((l) => paths.includes(l.path));
  const [classes, hidden] = weight.dims;
  if (layer?.outFeatures === classes && layer.inFeatures === hidden) return layer;
  throw new AuroraError(
    'adapter',
    `${folder} has a head of ${classes} × ${hidden}, and ${layer ? `the model’s last layer ${layer.path} is ${layer.outFeatures} × ${layer.inFeatures}` : 'the model does not end in a linear layer'}.`,
    'The adapter belongs to a model with another head.',
  );
}

function headOnHidden(
  g: GraphBuilder,
  model: Model,
  hidden: ValueInfo,
  { weight }: Head,
  { folder, own }: AdapterFolder,
): string {
  const pooling = own?.pooling;
  if (pooling === 'none')
    throw new AuroraError(
      'adapter',
      `${folder} has a head that labels each token, which the playground shows only for runs.`,
      'Import the adapter as a run with `aurora import`.',
    );
  const shape = hidden.shape!.map((d, axis) => d ?? `axis ${axis}`);
  if (shape.length === 3 && !pooling)
    throw new AuroraError(
      'adapter',
      `${folder} has a head but does not specify how the tokens of ${hidden.name} are pooled.`,
      'Only adapters from AuroRA Lab specify it. Export the model with its logits (AutoModelForSequenceClassification).',
    );
  const size = shape.at(-1);
  if (typeof size === 'number' && size !== weight.dims[1])
    throw new AuroraError(
      'adapter',
      `${folder} has a head with ${weight.dims[1]} input features, but ${hidden.name} has ${size}.`,
      'The adapter belongs to another model.',
    );
  const mask = maskInput(model.graph.inputs.map((i) => i.name));
  return addHead(
    g,
    hidden.name,
    { dtype: DType.float, shape },
    {
      pooling: pooling ?? 'mean',
      classes: weight.dims[0],
      weight: HEAD_WEIGHT,
      bias: HEAD_BIAS,
    },
    mask,
  );
}
