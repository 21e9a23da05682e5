import { count, sharePercent, shortNumber } from '../../../base/number-text';
import { wrap } from '../../../base/wrap';
import { isRanked, methodName } from '../../../experiment/methods';
import {
  PAPER_METRIC_LABELS,
  type PaperReport,
  type PaperResults,
  type Recipe,
  type RecipeSettings,
} from '../../../experiment/paper';
import { settingText } from '../../../experiment/sweep';
import type { Budget, ModuleBudget } from '../../../protocol/budget';
import { leftOutText } from '../../../protocol/left-out';
import { PAPER_MODELS } from '../../../recipes/model-shapes';
import { paperReport } from '../../../recipes/paper-report';
import { table } from '../../table';
import type { BudgetSource } from './budget';

/** The budget as JSON: exact numbers and every module; for a recipe, also the paper's results and settings. */
export function budgetJson(source: BudgetSource, budget: Budget): Record<string, unknown> {
  const { adapter, lora, equal, modules } = budget;
  const { title, recipe, adapter: spec } = source;
  return {
    model: title,
    method: spec.method,
    ...(isRanked(spec) && { rank: spec.rank }),
    trainable: adapter.parameters,
    moduleCount: modules.length,
    linearLayers: budget.layers,
    modelParameters: budget.modelParameters,
    lora: { rank: lora.rank, trainable: lora.parameters },
    ratioToLora: adapter.parameters / lora.parameters,
    equalLoraRank: equal.exactRank,
    fileBytes: adapter.file.total,
    trainingBytes: adapter.memory.total,
    warnings: budget.warnings,
    leftOut: budget.leftOut,
    modules: modules.map(({ path, inFeatures, outFeatures, rank, parameters }) => ({
      path,
      inFeatures,
      outFeatures,
      rank,
      parameters,
    })),
    ...(recipe !== undefined && { recipe, shapes: shapesOf(recipe), paper: paperReport(recipe) }),
  };
}

/** The budget as text; modules of the same name and shape share a line. */
export function budgetText(source: BudgetSource, budget: Budget): string {
  const { adapter, lora, equal, modules, layers, modelParameters, leftOut } = budget;
  const { title, recipe, adapter: spec } = source;
  const rows = [
    ['  trainable parameters', count(adapter.parameters), shareOf(adapter.parameters, modelParameters)],
    [
      `  LoRA r=${lora.rank}`,
      count(lora.parameters),
      `the adapter has ${sharePercent(adapter.parameters / lora.parameters)} of that`,
    ],
    ['  LoRA of equal cost', shortNumber(equal.exactRank), 'rank'],
    ['  adapter file', count(adapter.file.total), 'bytes, without a head'],
    [
      '  memory in training',
      count(adapter.memory.total),
      'bytes: parameters, gradients and two moments in float32',
    ],
  ];
  return `${[
    `${title}: ${methodName(spec)}${isRanked(spec) ? ` of rank ${spec.rank}` : ''} on ${count(modules.length)} of ${count(layers)} linear layers`,
    ...table(rows, '   '),
    '',
    'Modules (out × in):',
    ...table(moduleRows(modules), '   '),
    ...(leftOut.length > 0 ? [`  left out: ${leftOutText(leftOut)}`] : []),
    ...(recipe === undefined ? [] : ['', ...paperText(paperReport(recipe), shapesOf(recipe))]),
  ].join('\n')}\n`;
}

const shapesOf = (recipe: string): string => PAPER_MODELS.find((m) => m.id === recipe)!.source;

const shareOf = (n: number, of: number | undefined): string =>
  of ? `${sharePercent(n / of)} of the model's ${count(of)}` : '';

/** A large model has hundreds of modules but only a few kinds, so indices become stars. */
function moduleRows(modules: readonly ModuleBudget[]): string[][] {
  const kinds = new Map<string, ModuleBudget[]>();
  for (const m of modules) {
    const name = m.path.replace(/(^|\.)\d+(?=\.|$)/g, '$1*');
    const kind = JSON.stringify([name, m.inFeatures, m.outFeatures, m.rank]);
    kinds.set(kind, [...(kinds.get(kind) ?? []), m]);
  }
  return [...kinds].map(([kind, same]) => {
    const [name, inFeatures, outFeatures, rank] = JSON.parse(kind) as [string, number, number, number | null];
    const each = same[0].parameters;
    return [
      `  ${same.length === 1 ? same[0].path : name}`,
      `${outFeatures} × ${inFeatures}`,
      rank === null ? '' : `rank ${rank}`,
      same.length === 1 ? '' : `${count(same.length)} × ${count(each)}`,
      count(each * same.length),
    ];
  });
}

/** Characters in a line of text. */
const WIDTH = 112;

const METHODS = { full: 'full fine-tuning', lora: 'LoRA', aurora: 'AuroRA' };

/** The columns of settings; only those that any of the recipes has are shown. */
const COLUMNS: [key: keyof RecipeSettings, title: string][] = [
  ['epochs', 'epochs'],
  ['batchSize', 'batch'],
  ['learningRate', 'learning rate'],
  ['headLearningRate', 'head’s learning rate'],
  ['maxLength', 'length'],
  ['schedule', 'schedule'],
  ['warmupRatio', 'warm-up'],
  ['warmupSteps', 'warm-up steps'],
  ['weightDecay', 'weight decay'],
  ['dropout', 'dropout'],
];

/** The paper's results and settings for one of its models, as lines; `shapes` is the source of its shapes. */
function paperText(
  { source, adapter, recipes, results, variants, notes }: PaperReport,
  shapes: string,
): string[] {
  return [
    ...(results ? [`Published (${source}), in percent:`, ...resultLines(results), ''] : []),
    ...variants.flatMap(({ title, columns, rows }) => [
      `${title} (${source}):`,
      ...table([['', ...columns], ...rows.map((r) => [`  ${r.name}`, ...r.values])], '   '),
      '',
    ]),
    `Settings (${source}): AdamW, rank ${adapter.rank}, alpha ${adapter.alpha}`,
    ...settingLines(recipes),
    ...wrap(`The paper does not say: ${recipes[0].unsaid.join(', ')}.`, WIDTH - 2).map((line) => `  ${line}`),
    '',
    ...[...notes, `Shapes: ${shapes}`].flatMap((note) => wrap(note, WIDTH)),
  ];
}

const resultLines = ({ methods, rows }: PaperResults): string[] =>
  table(
    [
      ['', '', ...methods.map((m) => METHODS[m.method])],
      ['  parameters', '', ...methods.map((m) => m.parameters)],
      ...rows.map(({ dataSet, values }) => [
        `  ${dataSet.name}`,
        PAPER_METRIC_LABELS[dataSet.metric],
        ...values.map((v) => v.toFixed(1)),
      ]),
      ['  average', '', ...methods.map((m) => m.average.toFixed(1))],
    ],
    '   ',
  );

function settingLines(recipes: readonly Recipe[]): string[] {
  const columns = COLUMNS.filter(([key]) => recipes.some((r) => r.settings[key] !== undefined));
  return table(
    [
      ...(columns.length > 0 ? [['', ...columns.map(([, title]) => title)]] : []),
      ...recipes.map((r) => [
        `  ${r.name}`,
        ...columns.map(([key]) => settingText(key, r.settings[key] ?? '–')),
      ]),
    ],
    '   ',
  );
}
