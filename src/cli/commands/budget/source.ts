import type { BudgetModule } from '../../../adapters/budget/budget';
import { likelyTargets } from '../../../adapters/targets/select';
import { taskLayers } from '../../../adapters/task-output';
import { loadModelFrom } from '../../../architectures/load';
import { modelSource } from '../../../architectures/model-source';
import { summarize } from '../../../graph/summary';
import { PAPER_MODELS } from '../../../recipes/model-shapes';
import { loadExperiment } from '../../../runs/experiment/load';
import { adapterDefaults } from '../../../experiment/adapter-defaults';
import { AuroraError } from '../../../base/errors';
import {
  type AdapterSpec,
  DEFAULT_METHOD,
  HEAD_ALONE,
  isHeadAlone,
  isMethod,
  isRanked,
  isReference,
  METHOD_NAMES,
  METHOD_ORDER,
  type TargetSpec,
  type TrainedSpec,
} from '../../../experiment/methods';
import { nearest } from '../../../base/nearest';

/** The model's layers and the adapter on them, whose cost is counted. */
export interface BudgetSource {
  /** The given path, or the name of a recipe's model. */
  title: string;
  modules: readonly BudgetModule[];
  modelParameters: number;
  adapter: TrainedSpec;
  /** Undefined if nothing suggests a particular rank. */
  loraRank?: number;
  /** Id of the paper's model, if its shapes are counted. */
  recipe?: string;
}

export interface AdapterChoice {
  method?: string;
  rank?: number;
  targetModules?: TargetSpec['targetModules'];
}

/** A model of the paper, with its targets and its ranks: 2 for AuroRA, the baseline's for LoRA. */
export function recipeSource(id: string, choice: AdapterChoice): BudgetSource {
  const model = PAPER_MODELS.find((m) => m.id === id);
  if (!model) throw unknown('recipe', id, PAPER_MODELS.map((m) => m.id)); // prettier-ignore
  const { name, modules, parameters, targets, loraRank } = model;
  const method = choice.method ?? DEFAULT_METHOD;
  const rank = choice.rank ?? (isReference({ method }) ? loraRank : undefined);
  return {
    title: name,
    modules,
    modelParameters: parameters,
    adapter: newAdapter({ ...choice, method, rank }, targets),
    loraRank,
    recipe: id,
  };
}

/** A model with the layers that the paper would adapt, or an experiment as written. Loads no runtime. */
export function fileSource(path: string, choice: AdapterChoice): BudgetSource {
  const source = modelSource(path);
  if (source.kind !== 'onnx' || /\.onnx$/i.test(path)) {
    const summary = summarize(loadModelFrom(source, 'structure'));
    // The defaults of a new experiment on this model.
    const layers = taskLayers(summary, { output: undefined, head: true });
    const likely = likelyTargets(layers);
    const adapter = newAdapter(choice, likely.length > 0 ? likely : 'all-linear');
    return { title: path, modules: layers, modelParameters: summary.parameters, adapter };
  }
  if (!/\.jsonc?$/i.test(path))
    throw new AuroraError(
      'usage',
      `${path} is neither an experiment nor a model.`,
      'Give an experiment (*.aurora.json) or a model (*.onnx, or a folder from the hub).',
    );
  const { adapter, model, task } = loadExperiment(path);
  const summary = summarize(loadModelFrom(modelSource(model.path), 'structure'));
  return {
    title: path,
    modules: taskLayers(summary, { output: model.output, head: task.head === 'linear' }),
    modelParameters: summary.parameters,
    adapter: changed(adapter, choice, path),
  };
}

function newAdapter(
  { method = DEFAULT_METHOD, rank, targetModules }: AdapterChoice,
  targets: TargetSpec['targetModules'],
): TrainedSpec {
  const own = { ...defaultsOf(method), targetModules: targetModules ?? targets } as TrainedSpec;
  return withRank(own, rank);
}

/** Another method keeps the choice of layers; its other settings are its defaults. */
function changed(
  adapter: AdapterSpec,
  { method, rank, targetModules }: AdapterChoice,
  path: string,
): TrainedSpec {
  const wanted = method ?? adapter.method;
  if (wanted === HEAD_ALONE.method)
    throw new AuroraError(
      'usage',
      `${path} trains no adapter: its adapter.method is "none".`,
      `Choose one to count, such as --method ${METHOD_ORDER[0]}.`,
    );
  const own =
    !isHeadAlone(adapter) && wanted === adapter.method
      ? adapter
      : ({ ...defaultsOf(wanted), ...targetsOf(adapter) } as TrainedSpec);
  return withRank(targetModules === undefined ? own : { ...own, targetModules }, rank);
}

function targetsOf(adapter: AdapterSpec): Partial<TargetSpec> {
  if (isHeadAlone(adapter)) return {};
  const { targetModules, excludeModules, layersToTransform, layersPattern } = adapter;
  return { targetModules, excludeModules, layersToTransform, layersPattern };
}

function defaultsOf(method: string): Record<string, unknown> {
  if (!isMethod(method)) throw unknown('method', method, METHOD_ORDER);
  return adapterDefaults(method);
}

function withRank(adapter: TrainedSpec, rank: number | undefined): TrainedSpec {
  if (rank === undefined) return adapter;
  if (!isRanked(adapter))
    throw new AuroraError('usage', `${METHOD_NAMES[adapter.method]} has no rank.`, 'Omit --rank.');
  return { ...adapter, rank };
}

function unknown(what: string, name: string, known: readonly string[]): AuroraError {
  const near = nearest(name, known);
  return new AuroraError(
    'usage',
    `Unknown ${what} "${name}".`,
    `${near ? `Did you mean "${near}"? ` : ''}The ${what}s are ${known.join(', ')}.`,
  );
}
