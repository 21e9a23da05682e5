import { injectAdapters, tensorName } from '../adapters/inject';
import type { LayerAdapter } from '../adapters/select';
import { GraphBuilder } from '../graph/builder';
import { isFloat } from '../graph/dtype';
import type { TensorInfos } from '../graph/infos';
import { outputsNamed, type Model } from '../graph/model';
import { prune } from '../graph/prune';
import { AuroraError } from '../shared/errors';
import { addHead, type HeadSpec } from './head';
import { OBJECTIVES, type ObjectiveName } from './objective';

export interface TaskGraphSpec {
  objective: ObjectiveName;
  head?: HeadSpec;
  /** The model output that the head or the loss reads. */
  output: string;
  adapters: readonly LayerAdapter[];
}

/** A trainable tensor: an input of the graph, float32. */
export interface TrainableInfo {
  name: string;
  dims: number[];
  part: 'adapter' | 'head';
}

/**
 * The forward graph of a task: the user's model with adapters, head and loss. Trainable tensors and labels
 * are inputs; loss, logits and what the adapters saw are outputs. Any engine can take it from here.
 */
export interface TaskGraph {
  model: Model;
  trainable: TrainableInfo[];
  labels: string;
  logits: string;
  lossSum: string;
  count: string;
  /** No gradient needs to pass these. */
  stop: string[];
  /** z of every call of an adapted layer, by module path. */
  observed: Map<string, string[]>;
}

export const LABELS = 'aurora.labels';
const ATTENTION_MASK = 'attention_mask';

/**
 * @param model    at the internal opset
 * @param infos    shapes of its tensors, from a probe
 * @param training with dropout masks as inputs
 */
export function buildTaskGraph(
  model: Model,
  infos: TensorInfos,
  spec: TaskGraphSpec,
  training: boolean,
): TaskGraph {
  const output = infos.get(spec.output);
  if (!output) throw noSuchOutput(model, spec.output);
  const { dtype } = output;
  const dropout = training ? infos : undefined;
  const { graph, observed, stop } = injectAdapters(model.graph, spec.adapters, dtype, { dropout });
  // Axes go by the names that the probe found for them, so that the labels' axes can be tied to the outputs'.
  graph.inputs = graph.inputs.map((i) => ({ ...i, shape: infos.get(i.name)?.shape ?? i.shape }));
  const g = new GraphBuilder(graph, '/task');
  const trainable: TrainableInfo[] = spec.adapters.flatMap((a) =>
    a.tensors.map((t) => ({ name: tensorName(a, t.name), dims: t.dims, part: 'adapter' as const })),
  );
  let logits = spec.output;
  if (spec.head) {
    const { head } = spec;
    const hidden = output.shape.at(-1) as number;
    trainable.push({ name: head.weight, dims: [head.classes, hidden], part: 'head' });
    trainable.push({ name: head.bias, dims: [head.classes], part: 'head' });
    const mask = graph.inputs.some((i) => i.name === ATTENTION_MASK) ? ATTENTION_MASK : undefined;
    logits = addHead(g, spec.output, output, head, mask);
  }
  for (const t of trainable) g.addInput(t.name, dtype, t.dims);
  const objective = OBJECTIVES[spec.objective];
  const labels = g.addInput(LABELS, objective.labels.dtype, output.shape.slice(0, objective.labels.rank));
  const loss = objective.build(g, logits, labels, dtype);
  const outputs = [loss.lossSum, loss.count, logits, ...[...observed.values()].flat()];
  graph.outputs = outputsNamed([...new Set(outputs)]);
  return {
    model: { ...model, graph: prune(graph) },
    trainable,
    labels,
    logits,
    lossSum: loss.lossSum,
    count: loss.count,
    stop: [...stop, ...loss.stop],
    observed,
  };
}

/** The output a head or a loss should read, where the experiment does not say; by names and declared types. */
export function findOutput(model: Model, wanted: string | undefined, head: boolean): string {
  const names = model.graph.outputs.map((o) => o.name);
  if (wanted !== undefined) {
    if (!names.includes(wanted)) throw noSuchOutput(model, wanted);
    return wanted;
  }
  const preferred = head
    ? ['last_hidden_state', 'hidden_states', 'output', 'pooler_output']
    : ['logits', 'output'];
  const known = preferred.find((p) => names.includes(p));
  if (known) return known;
  const float = model.graph.outputs.filter((o) => o.dtype === 0 || isFloat(o.dtype));
  if (float.length === 1) return float[0].name;
  throw new AuroraError(
    'model',
    `The model has the outputs ${names.join(', ')}; it is not clear which one the ${head ? 'head' : 'loss'} should read.`,
    'Name it in the experiment: "model": { "output": "…" }.',
  );
}

function noSuchOutput(model: Model, name: string): AuroraError {
  const names = model.graph.outputs.map((o) => o.name).join(', ');
  return new AuroraError(
    'model',
    `The model has no output "${name}"; it has ${names}.`,
    'Correct "model.output" in the experiment.',
  );
}
