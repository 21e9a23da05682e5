import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { AuroraError, EXIT } from '../../base/errors';
import { HEAD_ALONE, LAYER_METHODS } from '../../experiment/methods';
import { snapshotFolder } from '../../files/hub-cache';
import { referenceTo } from '../../hub/cache';
import type { Hub } from '../../hub/hub-client';
import { requireHubSet } from '../../recipes/data/hub-sets';
import { DATA_RECIPES, dataRecipe } from '../../recipes/data/data-set-registry';
import type { Command, ParsedArgs } from '../command';
import { planData } from './get/data-download';
import { FETCH_HELP, FETCH_OPTIONS, fetchPlans } from './get/fetch';
import { type ModelPlan, planModel } from './get/model-download';
import { openHub, type Plan } from './get/download-plan';
import { RECIPE_OPTIONS, RECIPE_OPTIONS_HELP, writeRecipe } from './recipe/recipe';

export const startCommand: Command = {
  help: `Usage: aurora start MODEL DATA [options]

Gets a model and one of the paper's data sets from the Hugging Face hub, and writes an experiment with the paper's settings, as
\`aurora recipe\` does: aurora start roberta-base glue/rte. Model and data are named at their commits, so that \`aurora get\`
fetches the same bytes on another machine. Shows before what it would download, and asks.

  MODEL              the name of a model on the hub, or a file or folder on this machine
  DATA               ${DATA_RECIPES.map(({ id }) => id).join(', ')}
  --revision R       of the model: a branch, a tag, a pull request (refs/pr/N) or a commit (default: main)
  --repo ORG/NAME    another repository with the same data
  --config NAME      its configuration, if it has several and none is called as usual
  --data FOLDER      a folder with the data on this machine instead
${RECIPE_OPTIONS_HELP}${FETCH_HELP}`,
  options: {
    revision: { type: 'string' },
    repo: { type: 'string' },
    config: { type: 'string' },
    data: { type: 'string' },
    ...RECIPE_OPTIONS,
    ...FETCH_OPTIONS,
  },
  values: { method: [...LAYER_METHODS, HEAD_ALONE.method], size: ['base', 'large'] },
  async run(args) {
    const [model, data, ...more] = args.positionals;
    if (model === undefined || data === undefined || more.length > 0)
      throw new AuroraError(
        'usage',
        'aurora start takes a model and a data set, such as roberta-base glue/rte.',
        'See `aurora start --help`.',
      );
    const recipe = recipeOf(data);
    const hub = openHub();
    const here = args.text('data');
    const modelPlan = await modelOf(hub, model, args);
    const dataPlan = here === undefined ? await dataOf(hub, recipe.id, args) : resolve(here);
    const plans = [modelPlan, dataPlan].filter((part): part is Plan => typeof part !== 'string');
    if (!(await fetchPlans(hub, plans, args))) return EXIT.ok;
    const folder =
      typeof dataPlan === 'string'
        ? dataPlan
        : snapshotFolder(hub.settings.cache, referenceTo(dataPlan.info, ''));
    if (typeof modelPlan === 'string') await writeRecipe(recipe, modelPlan, folder, args);
    else await writeRecipe(recipe, (await modelPlan.got())[0].path, folder, args, modelPlan.beside);
    return EXIT.ok;
  },
};

/** The eight tests of commonsense reasoning are not trained on alone. */
function recipeOf(name: string) {
  const { id } = requireHubSet(name);
  if (DATA_RECIPES.some((recipe) => recipe.id === id)) return dataRecipe(id);
  throw new AuroraError(
    'usage',
    `The paper only evaluates on ${id}: it trains on commonsense170k.`,
    `Start with commonsense170k, or get the data set alone: \`aurora get data ${id}\`.`,
  );
}

/**
 * The plan to download a model; a file or folder here stays where it is.
 *
 * @param args with the option revision, if the command has it
 */
export async function modelOf(hub: Hub, name: string, args: ParsedArgs): Promise<ModelPlan | string> {
  if (existsSync(name)) return resolve(name);
  const revision = args.text('revision');
  return planModel(hub, name, revision === undefined ? {} : { revision });
}

/** Recipes do not read test sets; some copies on the hub have further splits. */
const USED = ['train', 'validation', 'val'];

/**
 * The plan to download the splits of a data set that a recipe reads.
 *
 * @param args with the options repo and config, if the command has them
 */
export async function dataOf(hub: Hub, id: string, args: ParsedArgs): Promise<Plan> {
  const repo = args.text('repo');
  const config = args.text('config');
  const preferred = requireHubSet(id).config;
  return planData(hub, repo ?? id, { config, preferred, splits: [], needed: USED, files: [] });
}
