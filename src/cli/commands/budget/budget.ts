import { type BudgetModule, budgetOf } from '../../../adapters/budget/budget';
import { likelyTargets } from '../../../adapters/targets/select';
import { taskLayers } from '../../../adapters/task-output';
import { loadModelFrom } from '../../../architectures/load';
import { modelSource } from '../../../architectures/model-source';
import { AuroraError, EXIT } from '../../../base/errors';
import { nearest } from '../../../base/nearest';
import { adapterDefaults } from '../../../experiment/adapter-defaults';
import {
  aboutMethod,
  type AdapterSpec,
  DEFAULT_METHOD,
  HEAD_ALONE,
  isHeadAlone,
  isMethod,
  isRanked,
  isReference,
  METHOD_NAMES,
  LAYER_METHODS,
  type TargetSpec,
  type TrainedSpec,
} from '../../../experiment/methods';
import { summarize } from '../../../graph/summary';
import { PAPER_MODELS } from '../../../recipes/model-shapes';
import { loadExperiment } from '../../../runs/experiment/load';
import { targetsOf } from '../../arguments';
import { type Command, missingOrMany, type ParsedArgs, wholeNumber } from '../../command';
import { optionText } from '../../help-text';
import { budgetJson, budgetText } from './budget-report';

const RECIPES = PAPER_MODELS.map((m) => m.id);

export const budgetCommand: Command = {
  help: `Usage: aurora budget (FILE | --recipe NAME) [options]

Counts an adapter's trainable parameters, module by module, beside LoRA on the same modules. FILE is an experiment
(*.aurora.json) or a model (*.onnx); the model is read but not run. A recipe is one of the AuroRA paper's models,
counted from its shapes, with the results that the paper reports for it.

  --recipe NAME      ${RECIPES.join(', ')}
  --method METHOD    ${optionText(`${LAYER_METHODS.join(', ')} (default: the experiment's, else aurora)`)}
  --rank R           the adapter's rank (default: the experiment's or the recipe's, else the method's)
  --targets NAMES    the adapted modules: names or path endings, separated by commas, or all-linear
                     (default: the experiment's or the recipe's, else the model's query and value layers)
  --lora-rank R      the rank of the LoRA to compare with (default: the recipe's, else 8)
  --json             one JSON object: trainable, moduleCount, modules, lora, ratioToLora and more
`,
  options: {
    recipe: { type: 'string' },
    method: { type: 'string' },
    rank: { type: 'string' },
    targets: { type: 'string' },
    'lora-rank': { type: 'string' },
    json: { type: 'boolean' },
  },
  values: { recipe: RECIPES, method: LAYER_METHODS },
  run(args) {
    const choice: AdapterChoice = {
      method: args.text('method'),
      rank: rankOf(args, 'rank'),
      targetModules: targetsOf(args.text('targets')),
    };
    const source = sourceOf(args, choice);
    const loraRank = rankOf(args, 'lora-rank') ?? source.loraRank;
    const { modules, adapter, modelParameters } = source;
    const budget = budgetOf(modules, adapter, { modelParameters, loraRank, tokens: 1 });
    if (!args.flag('json'))
      for (const warning of budget.warnings) process.stderr.write(`warning: ${warning}\n`);
    process.stdout.write(
      args.flag('json')
        ? `${JSON.stringify(budgetJson(source, budget), null, 2)}\n`
        : budgetText(source, budget),
    );
    return Promise.resolve(EXIT.ok);
  },
};

function sourceOf(args: ParsedArgs, choice: AdapterChoice): BudgetSource {
  const recipe = args.text('recipe');
  const [file, ...more] = args.positionals;
  if (recipe !== undefined && file !== undefined)
    throw new AuroraError(
      'usage',
      `aurora budget takes a file or --recipe, but got both: ${file} and ${recipe}.`,
      'Omit one of them.',
    );
  if (recipe !== undefined) return recipeSource(recipe, choice);
  if (file === undefined || more.length > 0)
    throw new AuroraError(
      'usage',
      missingOrMany('budget', 'experiment, model or --recipe', args.positionals.length),
      `Recipes are ${RECIPES.join(', ')}; see \`aurora budget --help\`.`,
    );
  return fileSource(file, choice);
}

function rankOf(args: ParsedArgs, option: string): number | undefined {
  const given = args.text(option);
  if (given === undefined) return undefined;
  const rank = wholeNumber(option, given);
  if (rank < 1) throw new AuroraError('usage', `--${option} takes a whole number of at least 1.`);
  return rank;
}

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

interface AdapterChoice {
  method?: string;
  rank?: number;
  targetModules?: TargetSpec['targetModules'];
}

/** A model of the paper, with its targets and its ranks: 2 for AuroRA, the baseline's for LoRA. */
function recipeSource(id: string, choice: AdapterChoice): BudgetSource {
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
function fileSource(path: string, choice: AdapterChoice): BudgetSource {
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
      `Choose one to count, such as --method ${LAYER_METHODS[0]}.`,
    );
  const own =
    !isHeadAlone(adapter) && wanted === adapter.method
      ? adapter
      : ({ ...defaultsOf(wanted), ...adapterTargets(adapter) } as TrainedSpec);
  return withRank(targetModules === undefined ? own : { ...own, targetModules }, rank);
}

function adapterTargets(adapter: AdapterSpec): Partial<TargetSpec> {
  if (isHeadAlone(adapter)) return {};
  const { targetModules, excludeModules, layersToTransform, layersPattern } = adapter;
  return { targetModules, excludeModules, layersToTransform, layersPattern };
}

function defaultsOf(method: string): Record<string, unknown> {
  if (!isMethod(method)) throw unknown('method', method, LAYER_METHODS);
  return adapterDefaults(method);
}

function withRank(adapter: TrainedSpec, rank: number | undefined): TrainedSpec {
  if (rank === undefined) return adapter;
  if (!isRanked(adapter))
    throw new AuroraError('usage', `${METHOD_NAMES[adapter.method]} has no rank.`, noRankHint(adapter));
  return { ...adapter, rank };
}

function noRankHint({ method }: TrainedSpec): string {
  const { size } = aboutMethod(method);
  return size === undefined ? 'Omit --rank.' : `Omit --rank. Its size is adapter.${size} in an experiment.`;
}

function unknown(what: string, name: string, known: readonly string[]): AuroraError {
  const near = nearest(name, known);
  return new AuroraError(
    'usage',
    `Unknown ${what} "${name}".`,
    `${near ? `Did you mean "${near}"? ` : ''}The ${what}s are ${known.join(', ')}.`,
  );
}
