import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { modelSource } from '../../../architectures/model-source';
import { AuroraError, EXIT } from '../../../base/errors';
import { type AdapterSpec, HEAD_ALONE, isMethod, LAYER_METHODS } from '../../../experiment/methods';
import { writeAtomic } from '../../../files/atomic';
import { recipeAdapter, questionsOf, SHARE } from '../../../recipes/draft-recipe';
import { defaultAdapter, draftText, type Draft } from '../../../recipes/draft';
import type { FoundFiles } from '../../../recipes/data/files';
import type { DataRecipe } from '../../../recipes/data/data-kind';
import { SCRIPT_DEFAULTS } from '../../../recipes/dreambooth';
import { DATA_RECIPES, dataRecipe, settingsOf } from '../../../recipes/data/data-set-registry';
import { parseOverride } from '../../../runs/experiment/overrides';
import { readModel } from '../../../training/task/adapted-model';
import type { Command, ParsedArgs } from '../../command';
import { optionText } from '../../help-text';
import { checkText } from './recipe-check';
import { chooseOpen, withSettings, sizeFor } from './choices';
import { withColumns, evaluationsIn, filesIn } from './data-folder';
import { DREAMBOOTH, dreamboothText, writeDreambooth } from './dreambooth';
import { listText, showText } from './show';
import { writtenText, type WrittenRecipe } from './recipe-report';

/** The options that choose parts of an experiment, also for `aurora start`. */
export const RECIPE_OPTIONS = {
  size: { type: 'string' },
  method: { type: 'string' },
  set: { type: 'string', multiple: true },
  defaults: { type: 'boolean' },
  out: { type: 'string' },
} as const;

export const RECIPE_OPTIONS_HELP = `\
  --size SIZE        the paper's model whose settings to use: base or large (default: by the width of MODEL's layers)
  --method METHOD    ${optionText(`${[...LAYER_METHODS, HEAD_ALONE.method].join(', ')} (default: aurora)`)}
  --set KEY=VALUE    any setting of an experiment, such as training.seed=1; may be repeated
  --defaults         accept this program's defaults for what no source states
  --out FILE         the new experiment (default: NAME-METHOD.aurora.json in the current folder)
`;

export const recipeCommand: Command = {
  help: `Usage: aurora recipe [NAME [--model MODEL --data FOLDER] [options]]

Lists the recipes: the data sets of the AuroRA paper that can be trained from their files as they are distributed. With
a NAME such as glue/rte, shows its columns, labels, metric, split and settings, each with its source. With a model and
the folder of the data, writes the experiment, after reading the data once as training will. The files are not changed.

What no source states is asked for in a terminal. Elsewhere, state it with --set, or accept the defaults of AuroRA Lab
with --defaults; the experiment says which of its values these are.

aurora recipe dreambooth --model PIPELINE --data FOLDER writes the experiment for pictures of a subject, from a folder of a few
images of it.

  --model MODEL      an ONNX file, with tokenizer.json beside it, or a folder with config.json and safetensors
  --data FOLDER      the folder with the data set's files, or with its subfolder
${RECIPE_OPTIONS_HELP}  --json             one JSON value instead: the recipes, the recipe, or the file that was written
`,
  options: {
    model: { type: 'string' },
    data: { type: 'string' },
    ...RECIPE_OPTIONS,
    json: { type: 'boolean' },
  },
  values: {
    '': [...DATA_RECIPES.map((r) => r.id), DREAMBOOTH],
    method: [...LAYER_METHODS, HEAD_ALONE.method],
    size: ['base', 'large'],
  },
  async run(args) {
    const [name, ...more] = args.positionals;
    if (more.length > 0)
      throw new AuroraError(
        'usage',
        `aurora recipe takes one recipe, not ${args.positionals.length}.`,
        'See `aurora recipe --help`.',
      );
    const [model, folder] = [args.text('model'), args.text('data')];
    if (name === undefined && (model !== undefined || folder !== undefined))
      throw new AuroraError(
        'usage',
        'aurora recipe needs the name of a recipe, such as glue/rte.',
        'List them with `aurora recipe`.',
      );
    const json = args.flag('json');
    if (name === undefined) process.stdout.write(json ? jsonLine(DATA_RECIPES) : listText());
    else if (name.toLowerCase() === DREAMBOOTH) {
      if (model === undefined && folder === undefined)
        process.stdout.write(json ? jsonLine(SCRIPT_DEFAULTS) : dreamboothText());
      else {
        const [pipeline, images] = [required(model, 'model'), required(folder, 'data')];
        await writeDreambooth(pipeline, images, args, methodOf(args), settingsIn(args));
      }
    } else if (model === undefined && folder === undefined)
      process.stdout.write(json ? jsonLine(dataRecipe(name)) : showText(dataRecipe(name)));
    else await writeRecipe(dataRecipe(name), required(model, 'model'), required(folder, 'data'), args);
    return EXIT.ok;
  },
};

const jsonLine = (value: unknown): string => `${JSON.stringify(value)}\n`;

function required(given: string | undefined, option: 'model' | 'data'): string {
  if (given !== undefined) return resolve(given);
  const what = { model: 'the model', data: 'the folder of the data set' }[option];
  throw new AuroraError('usage', `To write an experiment, name ${what} with --${option}.`);
}

/**
 * Writes the experiment, and reports the source of each setting.
 *
 * @param model a file, or a folder from the hub
 * @param folder with the data
 * @param beside files of the model that are not beside it
 */
export async function writeRecipe(
  recipe: DataRecipe,
  model: string,
  folder: string,
  args: ParsedArgs,
  beside: Pick<Draft, 'tokenizer' | 'preprocessor'> = {},
): Promise<void> {
  const method = methodOf(args);
  const out = resolve(args.text('out') ?? join('.', `${basename(recipe.id)}-${method}.aurora.json`));
  const written = await makeRecipe(recipe, out, {
    ...{ model, folder, beside, method, set: settingsIn(args) },
    ...{ size: args.text('size'), defaults: args.flag('defaults') },
  });
  process.stdout.write(args.flag('json') ? jsonLine({ file: out }) : writtenText(written));
}

/** The choices for a recipe's experiment. */
export interface RecipeRequest {
  /** A file, or a folder from the hub. */
  model: string;
  /** The folder with the data. */
  folder: string;
  /** Files of the model that are not beside it. */
  beside?: Pick<Draft, 'tokenizer' | 'preprocessor'>;
  method: AdapterSpec['method'];
  /** Settings from the command line, by key. */
  set: ReadonlyMap<string, unknown>;
  /** base or large; by the width of the model's layers if omitted. */
  size?: string;
  /** Accepts this program's defaults for what no source states; otherwise they are asked for. */
  defaults: boolean;
}

/**
 * Writes the experiment, after reading model and data as training will.
 *
 * @throws AuroraError 'usage' if `out` exists or a choice is open, and for anything that training would stop at
 */
export async function makeRecipe(
  recipe: DataRecipe,
  out: string,
  { model, folder, beside, method, set, size, defaults }: RecipeRequest,
): Promise<WrittenRecipe> {
  if (existsSync(out))
    throw new AuroraError('usage', `${out} already exists and was not overwritten.`, 'Name another file with --out.'); // prettier-ignore
  const source = modelSource(model);
  const found = filesIn(recipe, folder);
  const validation = validationOf(recipe, folder, found, set, out);
  const base = readModel(source);
  const settings = settingsOf(recipe, await sizeFor(recipe, size, model, base.layers));
  const questions = [...(validation === undefined ? [SHARE] : []), ...questionsOf(settings)];
  const choices = await chooseOpen(settings, questions, recipe.others ?? {}, set, defaults);
  const layout = await withColumns(found.layout, join(folder, found.train), set);
  const evaluations = evaluationsIn(layout, folder);
  const draft: Draft = {
    model,
    ...beside,
    train: join(folder, found.train),
    validation: validation ?? (choices.get(SHARE.key)!.value as number),
    evaluations: evaluations.found,
    task: recipe.task.value,
    columns: layout.columns,
    adapter: recipeAdapter(defaultAdapter(method), settings, base.layers),
    recipe: settings,
    ...(recipe.pooling && { pooling: recipe.pooling.value }),
    ...(recipe.lossOn && { lossOn: recipe.lossOn.value }),
    read: layout.read,
    own: {
      choices,
      columns: `Columns of ${layout.title}: ${layout.source}. \`aurora recipe ${recipe.id}\` lists all sources.`,
    },
  };
  const others = new Map([...set].filter(([key]) => !choices.has(key)));
  const edits = [...others].filter(([key]) => !VALIDATION.includes(key));
  const text = withSettings(draftText(out, draft), new Map(edits));
  const checked = await checkText(out, text, { recipe, layout, base });
  writeAtomic(out, text);
  return { out, recipe, settings, found: { ...found, layout }, choices, others, checked, evaluations };
}

/** The settings of --set, by key. */
export const settingsIn = (args: ParsedArgs): Map<string, unknown> =>
  new Map(
    args.list('set').map((text) => {
      const { path, value } = parseOverride(text);
      return [path.join('.'), value];
    }),
  );

/** The draft has these already, with paths relative to the new file. */
const VALIDATION = ['data.validation', SHARE.key];

function methodOf(args: ParsedArgs): AdapterSpec['method'] {
  const name = args.text('method') ?? LAYER_METHODS[0];
  if (isMethod(name) || name === HEAD_ALONE.method) return name;
  throw new AuroraError(
    'usage',
    `Unknown method "${name}".`,
    `The methods are ${[...LAYER_METHODS, HEAD_ALONE.method].join(', ')}.`,
  );
}

/** The data set's own validation file, or the one that --set names; undefined if it has none, and nobody chose one. */
function validationOf(
  { name, validated }: DataRecipe,
  folder: string,
  { validation, test }: FoundFiles,
  set: ReadonlyMap<string, unknown>,
  out: string,
): string | number | undefined {
  const [file, share] = VALIDATION.map((key) => set.get(key));
  if (typeof file === 'string') return resolve(dirname(out), file);
  if (typeof share === 'number') return share;
  if (validation !== undefined) return join(folder, validation);
  if (!validated) return undefined;
  throw new AuroraError(
    'data',
    `${folder} has no validation file of ${name}${test === undefined ? '' : `; ${test} is not used, since its labels are hidden or kept for the final result`}.`,
    'Name one with --set data.validation=FILE, or hold out a share of the training file with --set data.validationFraction=0.1.',
  );
}
