import { selectAdapters, type LayerAdapter } from '../adapters/select';
import { findOutput } from '../engine/program';
import { gradientPath, requireRules } from '../graph/autodiff/differentiate';
import { findLinearLayers, type LinearLayer } from '../graph/linear';
import { loadModel } from '../graph/load';
import { elementCount, type Model } from '../graph/model';
import { prepareModel } from '../graph/prepare';
import type { Experiment } from '../shared/experiment';

/** An experiment's model and where its adapters go, from the file alone: no runtime is loaded. */
export interface AdaptedModel {
  /** As the file has it; merged exports edit this one. */
  original: Model;
  /** At the internal opset. */
  model: Model;
  layers: LinearLayer[];
  adapters: LayerAdapter[];
  /** The tensor that the head or the loss reads. */
  output: string;
  /** Numbers in the model's weights. */
  modelSize: number;
  warnings: string[];
}

/** @throws AuroraError where the file, a target, a rank or an operator cannot be used */
export function adaptModel(spec: Experiment): AdaptedModel {
  const original = loadModel(spec.model.path);
  const model = prepareModel(original);
  const layers = findLinearLayers(model.graph);
  const { adapters, warnings } = selectAdapters(model.graph, layers, spec.adapter);
  const output = findOutput(model, spec.model.output, spec.task.head === 'linear');
  // Before the runtime is asked, which says less of an operator that it does not know either.
  const from = adapters.flatMap((a) => a.layer.calls.map((c) => c.output));
  requireRules(gradientPath(model.graph.nodes, undefined, [output], from).nodes);
  return { original, model, layers, adapters, output, modelSize: weightCount(model), warnings };
}

function weightCount({ graph }: Model): number {
  const weights = [...graph.initializers.values()].filter((t) => t.dims.length > 0);
  return weights.reduce((n, t) => n + elementCount(t.dims), 0);
}
