import { METHOD_ORDER } from '../../../experiment/methods';
import { budgetOf } from '../../../adapters/budget/budget';
import { PAPER_MODELS } from '../../../recipes/model-shapes';
import { AuroraError, EXIT } from '../../../base/errors';
import { targetsOf } from '../../targets';
import { budgetJson, budgetText } from './report';
import { fileSource, recipeSource, type AdapterChoice, type BudgetSource } from './source';
import { missingOrMany, wholeNumber, type Command, type ParsedArgs } from '../../command';

const RECIPES = PAPER_MODELS.map((m) => m.id);

export const budgetCommand: Command = {
  help: `Usage: aurora budget (FILE | --recipe NAME) [options]

Counts an adapter's trainable parameters, module by module, beside LoRA on the same modules. FILE is an experiment
(*.aurora.json) or a model (*.onnx); the model is read but not run. A recipe is one of the AuroRA paper's models,
counted from its shapes, with the results that the paper reports for it.

  --recipe NAME      ${RECIPES.join(', ')}
  --method METHOD    ${METHOD_ORDER.join(', ')} (default: the experiment's, else aurora)
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
  values: { recipe: RECIPES, method: METHOD_ORDER },
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
