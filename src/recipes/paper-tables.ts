import { loraLike } from '../adapters/budget/budget-comparison';
import { AuroraError } from '../base/errors';
import { own } from '../base/names';
import { nearest } from '../base/nearest';
import type { MetricName } from '../experiment/metrics';
import type { AdapterSpec, AuroraSpec, MethodName, NoAdapterSpec, TrainedSpec } from '../experiment/methods';
import type { SplineReading } from '../experiment/method-settings';
import type { PaperMethod, PaperVariants, Recipe } from '../experiment/paper';
import type { DataRecipe, Size } from './data/data-kind';
import { DATA_RECIPES, settingsOf, sizesOf } from './data/data-set-registry';
import { HUB_MODELS, PAPER_MODELS, type PaperModel } from './model-shapes';
import { IMAGES, PAPER } from './paper-data';
import { ABLATION, ACTIVATION, FORMS, PUBLISHED, VARIANTS } from './paper-report';

export const TABLE_NAMES = [
  'glue',
  'images',
  'commonsense',
  'dreambooth',
  'ablation',
  'activation',
  'ranks',
  'forms',
] as const;
export type TableName = (typeof TABLE_NAMES)[number];

/** Tables that are not the paper's: they have their own models and data. */
export const DEMO = 'demo';
export const RIVALS = 'rivals';
export const OWN_TABLES = [DEMO, RIVALS] as const;
export type OwnTableName = (typeof OWN_TABLES)[number];

export const isOwnTable = (name: TableName | OwnTableName): name is OwnTableName =>
  name === DEMO || name === RIVALS;

/** A method with about this multiple of the parameters that AuroRA trains on the same layers. */
export interface SizedMethod {
  like: MethodName;
  times: number;
  /** Settings that do not change the size. */
  settings?: Partial<TrainedSpec>;
}

/** A method that a table trains on each of its data sets. */
export interface TableRow {
  label: string;
  /**
   * AuroRA with these settings, LoRA of a rank (at AuroRA's scale, unless it has its own alpha), the head alone, or a method of a
   * size, which has settings once the model's layers are known.
   */
  adapter:
    | { aurora: Partial<AuroraSpec> }
    | { lora: number; alpha?: number }
    | NoAdapterSpec
    | SizedMethod
    | { settings: TrainedSpec };
  /** LoRA's rank in the paper, where the model here is too small for it. */
  paperRank?: number;
  /** Trained in the static form throughout. */
  isStatic?: true;
  /** Not trained: the runs of the first row, measured in their static form as the paper merges them. */
  isMerged?: true;
  /** The paper's values in percent by the id of a data set; `average` is that over all data sets of its table. */
  paper: Readonly<Record<string, number>>;
  /** The label of the row that the study tests it against. */
  against?: string;
}

/** An experiment of a table, on one set of training data; with neither recipe nor study, on pictures of a subject. */
export interface TableExperiment {
  /** "glue/rte" */
  id: string;
  /** The name of the training data, as spelled in the paper. */
  name: string;
  /** The data sets that its runs are scored on. */
  columns: readonly { id: string; name: string; metric: MetricName }[];
  recipe?: TableRecipe;
  /** A file in demo/studies with its settings. */
  study?: string;
}

/** The data set and the training that an experiment has from the paper. */
export interface TableRecipe {
  recipe: DataRecipe;
  size: Size;
  paper: Recipe;
}

/** A table of the paper for one of its models, or the demo's. */
export interface PaperTable {
  name: TableName | OwnTableName;
  title: string;
  /** Undefined for the demo's own. */
  model?: PaperModel;
  rows: TableRow[];
  /** The learning rates that are tried, where the paper has none to begin with. */
  rates?: number[];
  experiments: TableExperiment[];
}

const VITS = ['vit-base', 'vit-large'];
const ROBERTAS = ['roberta-base', 'roberta-large'];

/** Each with its title, the models that it is about, and its data sets where those are not all of the model's. */
const TABLES: Record<TableName, { title: string; models: readonly string[]; dataSets?: readonly string[] }> =
  {
    glue: { title: 'GLUE', models: ROBERTAS },
    images: { title: 'Image classification', models: VITS },
    commonsense: { title: 'Commonsense reasoning', models: ['llama3-8b'] },
    dreambooth: { title: 'DreamBooth', models: ['sdxl'] },
    ablation: {
      title: 'Ablation: AuroRA without a part of σ',
      models: VITS,
      dataSets: ['oxford-pets', 'cifar-10', 'dtd', 'eurosat'],
    },
    activation: {
      title: 'Activations in F',
      models: VITS,
      dataSets: ['stanford-cars', 'fgvc-aircraft'],
    },
    ranks: { title: 'Ranks', models: [...ROBERTAS, ...VITS, 'llama3-8b'] },
    forms: { title: 'Static and dynamic forms', models: ['llama3-8b'] },
  };

export const tableModels = (name: TableName): readonly string[] => TABLES[name].models;

/** @throws AuroraError 'usage' if there is no such table */
export function requireTable(name: string): TableName | OwnTableName {
  const all = [...TABLE_NAMES, ...OWN_TABLES] as const;
  const found = all.find((table) => table === name);
  if (found) return found;
  const near = nearest(name, all);
  throw new AuroraError(
    'usage',
    `There is no table "${name}" to reproduce.`,
    near === undefined ? `Available: ${all.join(', ')}.` : `Did you mean "${near}"?`,
  );
}

/** The model of the paper with this id or repository; undefined for any other. */
export const paperModelOf = (name: string): PaperModel | undefined =>
  HUB_MODELS.find(({ model, repo }) => [model.id, repo.toLowerCase()].includes(name.toLowerCase()))?.model;

/**
 * The model of the paper whose settings and numbers a table has.
 *
 * @param given the name of a model, on the hub or here
 * @param size base or large, for a model that is not the paper's
 * @throws AuroraError 'usage' if that is not clear, or the paper has no such table for the model
 */
export function tableModel(name: TableName, given: string, size: string | undefined): PaperModel {
  const known = paperModelOf(given);
  const all = PAPER_MODELS.filter(({ id }) => tableModels(name).includes(id));
  if (known) {
    if (all.includes(known)) return known;
    throw new AuroraError(
      'usage',
      `The paper has no table "${name}" for ${known.name}.`,
      `It is about ${all.map(({ id }) => id).join(' and ')}.`,
    );
  }
  const fit = all.filter(({ id }) => size === undefined || id.endsWith(`-${size}`));
  if (fit.length === 1) return fit[0]!;
  if (name === 'ranks')
    throw new AuroraError(
      'usage',
      `The table "ranks" is about several kinds of models, and ${given} is none of the paper’s.`,
      `Name one of ${all.map(({ id }) => id).join(', ')}.`,
    );
  throw new AuroraError(
    'usage',
    size === undefined
      ? `${given} is not one of the paper’s models, so the paper has no settings for it.`
      : `The table "${name}" has no size "${size}".`,
    all.length === 1
      ? `The paper uses ${all[0]!.name} only; leave out --size.`
      : `Choose whose settings to use: --size base (${all[0]!.id}) or --size large (${all[1]!.id}).`,
  );
}

/** A table with the settings and the numbers of one of the paper's models. */
export function paperTable(name: TableName, model: PaperModel): PaperTable {
  const { title, dataSets } = TABLES[name];
  const experiments = DATA_RECIPES.flatMap((recipe): TableExperiment[] => {
    const size = sizesOf(recipe).find((of) => recipe.models[of] === model.id);
    if (size === undefined) return [];
    const paper = settingsOf(recipe, size);
    const columns = paper.dataSets;
    return dataSets === undefined || columns.some(({ id }) => dataSets.includes(id))
      ? [{ id: recipe.id, name: recipe.name, columns, recipe: { recipe, size, paper } }]
      : [];
  });
  return {
    ...{ name, title: `${title}, ${model.name}`, model, rows: ROWS[name](model) },
    experiments: name === 'dreambooth' ? [SUBJECT] : experiments,
  };
}

/** Pictures of a subject are not a data set of the paper; the loss is the only score. */
const SUBJECT: TableExperiment = {
  id: 'dreambooth',
  name: 'DreamBooth',
  columns: [{ id: 'dreambooth', name: 'DreamBooth', metric: 'loss' }],
};

/** The full settings of a row's adapter. @param base AuroRA as the recipe has it for the model */
export function rowAdapter({ adapter, label }: TableRow, base: AuroraSpec): AdapterSpec {
  if ('method' in adapter) return adapter;
  if ('aurora' in adapter) return { ...base, ...adapter.aurora };
  if ('like' in adapter) throw new Error(`${label} has no size yet`);
  if ('settings' in adapter) return adapter.settings;
  const spec = loraLike(base, adapter.lora);
  return { ...spec, alpha: adapter.alpha ?? spec.alpha };
}

/**
 * The rows for a model that may be smaller than the paper's: where LoRA's rank is above the largest that its layers allow, it
 * is that one.
 */
export const fittedRows = (rows: readonly TableRow[], most: number): TableRow[] =>
  rows
    .map((row): TableRow => {
      const { adapter, label } = row;
      if (!('lora' in adapter) || adapter.lora <= most) return row;
      const fitted = { lora: most, ...(adapter.alpha !== undefined && { alpha: most }) };
      return {
        ...{ ...row, label: label.replace(`r=${adapter.lora}`, `r=${most}`) },
        ...{ adapter: fitted, paperRank: adapter.lora },
      };
    })
    .filter((row, i, all) => all.findIndex(({ label }) => label === row.label) === i);

const AURORA = `AuroRA r=${PAPER.rank}`;

/** A row of AuroRA with other settings, with the numbers that the paper has under `name` in a smaller table. */
const variant = (
  label: string,
  settings: Partial<AuroraSpec>,
  paper: TableRow['paper'],
  against?: string,
): TableRow => ({ label, adapter: { aurora: settings }, paper, ...(against !== undefined && { against }) });

/** True for the reference method of a table. */
export const isLora = (adapter: TableRow['adapter']): boolean => 'lora' in adapter;

/** LoRA of a rank, at AuroRA's scale. */
export const lora = (rank: number, paper: TableRow['paper'], against: string): TableRow => ({
  label: `LoRA r=${rank}`,
  adapter: { lora: rank },
  paper,
  against,
});

/** AuroRA of a rank, perhaps with another reading of L(z); the scale is the same for all. */
export function auroraOfRank(rank: number, against?: string, spline?: SplineReading): TableRow {
  const settings = { rank, alpha: (rank * PAPER.alpha) / PAPER.rank, ...(spline && { spline }) };
  return variant(`AuroRA r=${rank}${spline ? `, ${spline}` : ''}`, settings, {}, against);
}

const scores = (model: PaperModel): TableRow[] => [
  variant(AURORA, {}, published(model, 'aurora')),
  lora(model.loraRank, published(model, 'lora'), AURORA),
  lora(PAPER.rank, {}, AURORA),
];

/** Each rank of the paper's figure, which has no numbers. */
const RANKS = [2, 4, 8, 16];

const ROWS: Record<TableName, (model: PaperModel) => TableRow[]> = {
  glue: scores,
  images: scores,
  commonsense: scores,
  // As diffusers' script has LoRA, without a scale.
  dreambooth: (model) =>
    scores(model).map((row) =>
      'lora' in row.adapter ? { ...row, adapter: { ...row.adapter, alpha: row.adapter.lora } } : row,
    ),
  ablation: (model) => {
    const [all, withoutF, withoutL] = ABLATION.rows.map(({ name }) => name);
    return [
      variant(all!, {}, printed(model, ABLATION, all!)),
      variant(withoutF!, { fixed: false }, printed(model, ABLATION, withoutF!), all),
      variant(withoutL!, { learnable: false }, printed(model, ABLATION, withoutL!), all),
    ];
  },
  activation: (model) => {
    const [tanh, leaky, sigmoid] = ACTIVATION.rows.map(({ name }) => name);
    return [
      variant(tanh!, { activation: 'tanh' }, printed(model, ACTIVATION, tanh!)),
      variant(leaky!, { activation: 'leaky-relu' }, printed(model, ACTIVATION, leaky!), tanh),
      variant(sigmoid!, { activation: 'sigmoid' }, printed(model, ACTIVATION, sigmoid!), tanh),
    ];
  },
  ranks: () => RANKS.flatMap((rank) => [auroraOfRank(rank), lora(rank, {}, `AuroRA r=${rank}`)]),
  forms: (model) => {
    const [plain, inBoth, dynamic, merged] = FORMS.rows.map(({ name }) => name);
    return [
      variant(dynamic!, {}, printed(model, FORMS, dynamic!)),
      { ...variant(merged!, {}, printed(model, FORMS, merged!), dynamic), isMerged: true },
      { ...variant(inBoth!, {}, printed(model, FORMS, inBoth!), dynamic), isStatic: true },
      { ...lora(model.loraRank, printed(model, FORMS, plain!), dynamic!), label: plain! },
    ];
  },
};

/** The scores of a method in the paper's main table. */
function published({ id }: PaperModel, method: PaperMethod): TableRow['paper'] {
  const results = own(PUBLISHED, id);
  const at = results?.methods.findIndex((m) => m.method === method) ?? -1;
  if (!results || at < 0) return {};
  return {
    ...Object.fromEntries(results.rows.map(({ dataSet, values }) => [dataSet.id, values[at]!])),
    average: results.methods[at]!.average,
  };
}

/** A row of a smaller table, which the paper has for one model only. */
function printed({ id }: PaperModel, table: PaperVariants, name: string): TableRow['paper'] {
  if (!own(VARIANTS, id)?.includes(table)) return {};
  const { values } = table.rows.find((row) => row.name === name)!;
  const idOf = (column: string) =>
    column === 'average' ? column : IMAGES.find((set) => set.name === column)?.id;
  return Object.fromEntries(
    table.columns.flatMap((column, i) => {
      const dataSet = idOf(column);
      return dataSet === undefined ? [] : [[dataSet, Number(values[i])]];
    }),
  );
}
