import { settingText } from '../../../experiment/sweep';
import {
  PAPER_METRIC_LABELS,
  type PaperReport,
  type PaperResults,
  type Recipe,
  type RecipeSettings,
} from '../../../experiment/paper';
import { wrap } from '../../../base/wrap';
import { table } from '../../table';

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
export function paperText(
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
