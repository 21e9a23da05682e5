import { METHOD_ORDER } from '../../../experiment/methods';
import { budgetOf } from '../../../adapters/budget/budget';
import { PAPER_MODELS } from '../../../recipes/models';
import { AuroraError, EXIT } from '../../../base/errors';
import { budgetJson, budgetText } from './report';
import { fileSource, recipeSource, type AdapterChoice, type BudgetSource } from './source';
import { wholeNumber, type Command, type ParsedArgs } from '../../command';

const RECIPES = PAPER_MODELS.map((m) => m.id);

export const budgetCommand: Command = {
  help: `Usage: aurora budget (FILE | --recipe NAME) [options]

Counts what an adapter trains, module by module, beside LoRA on the same modules. FILE is an experiment
(*.aurora.json) or a model (*.onnx), of which only the file is read. A recipe is one of the models of the AuroRA
paper, counted from its shapes, with what the paper reports of it.

  --recipe NAME      ${RECIPES.join(', ')}
  --method METHOD    ${METHOD_ORDER.join(', ')} (default: the experiment's, else aurora)
  --rank R           its rank (default: the experiment's or the recipe's, else the method's own)
  --targets NAMES    the adapted modules: names or endings of paths, separated by commas, or all-linear
                     (default: the experiment's or the recipe's, else query and value as the model calls them)
  --lora-rank R      rank of the LoRA beside it (default: the recipe's, else 8)
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
      `aurora budget takes a file or --recipe, and got both: ${file} and ${recipe}.`,
      'Leave one of them out.',
    );
  if (recipe !== undefined) return recipeSource(recipe, choice);
  if (file === undefined || more.length > 0)
    throw new AuroraError(
      'usage',
      `aurora budget takes one experiment, one model or one --recipe, and got ${args.positionals.length} files.`,
      `Recipes are ${RECIPES.join(', ')}; see \`aurora budget --help\`.`,
    );
  return fileSource(file, choice);
}

function rankOf(args: ParsedArgs, option: string): number | undefined {
  const given = args.text(option);
  if (given === undefined) return undefined;
  const rank = wholeNumber(option, given);
  if (rank < 1) throw new AuroraError('usage', `--${option} takes a number from 1 on.`);
  return rank;
}

function targetsOf(given: string | undefined): string | string[] | undefined {
  if (given === undefined || given === 'all-linear') return given;
  const names = given.split(/[\s,]+/).filter((name) => name !== '');
  if (names.length === 0)
    throw new AuroraError('usage', '--targets names no module.', 'For example: --targets query,value');
  return names;
}
