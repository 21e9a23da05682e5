import { basename, resolve } from 'node:path';
import { AuroraError } from '../../../base/errors';
import { DEMO_TABLE } from '../../../recipes/demo-table';
import { RIVALS_TABLE } from '../../../recipes/rivals-table';
import {
  DEMO,
  isOwnTable,
  type OwnTableName,
  type PaperTable,
  paperTable,
  requireTable,
  tableModel,
  type TableName,
} from '../../../recipes/paper-tables';
import { wholeNumber, type ParsedArgs } from '../../command';
import { settingsIn } from '../recipe/recipe';

/** A table as the command line asks for it. */
export interface TableRequest {
  table: PaperTable;
  /** A file or folder, or the name of a model on the hub; undefined for a table with its own. */
  model?: string;
  /** The folder with the data sets; those of the hub if omitted. */
  data?: string;
  /** The folder of the experiments, their runs and the report. */
  out: string;
  /** The ids of the table's experiments to train, in its order. */
  tasks: string[];
  seeds: number[];
  /** Instead of the table's: the paper's rate, a third of it and three times it. */
  rates?: number[];
  /** Settings of all experiments, by key and as on the command line. */
  set: ReadonlyMap<string, unknown>;
  overrides: string[];
}

/** @throws AuroraError 'usage' for a table, model, task or value that cannot be used */
export function tableRequest(args: ParsedArgs): TableRequest {
  const [given, ...more] = args.positionals;
  if (given === undefined || more.length > 0)
    throw new AuroraError(
      'usage',
      'aurora reproduce takes one table, such as glue.',
      'See `aurora reproduce --help`.',
    );
  const name = requireTable(given);
  const { table, model } = isOwnTable(name)
    ? { table: ownTable(name, args), model: undefined }
    : tableOf(name, args);
  const data = args.text('data');
  if (name === 'dreambooth' && data === undefined)
    throw new AuroraError(
      'usage',
      'DreamBooth needs a few images of a subject.',
      'Name their folder with --data, and the prompt with --set task.instancePrompt="a photo of sks dog".',
    );
  const overrides = args.list('set');
  const set = settingsIn(args);
  refuseTrialSettings(set);
  const folder = ['reproduce', name, ...(model === undefined ? [] : [basename(resolve(model))])].join('-');
  return {
    ...{ table, set, overrides },
    ...(model !== undefined && { model }),
    ...(data !== undefined && { data: resolve(data) }),
    out: resolve(args.text('out') ?? folder),
    tasks: tasksOf(table, args.text('tasks')),
    seeds: seedsOf(table, args.text('seeds')),
    rates: ratesOf(args.text('rates')),
  };
}

function tableOf(name: TableName, args: ParsedArgs): { table: PaperTable; model: string } {
  const model = args.text('model');
  if (model === undefined)
    throw new AuroraError(
      'usage',
      `aurora reproduce ${name} needs a model.`,
      'Name one with --model: roberta-base, the name of a model on the hub, or a folder.',
    );
  return { table: paperTable(name, tableModel(name, model, args.text('size'))), model };
}

function ownTable(name: OwnTableName, args: ParsedArgs): PaperTable {
  const given = ['model', 'size', 'data'].find((option) => args.text(option) !== undefined);
  if (given === undefined) return name === DEMO ? DEMO_TABLE : RIVALS_TABLE;
  throw new AuroraError(
    'usage',
    `aurora reproduce ${name} has its own model and data, and no option --${given}.`,
    'To compare methods on others, write a sweep with `aurora compare`.',
  );
}

/** A table's own trials decide these. */
function refuseTrialSettings(set: ReadonlyMap<string, unknown>): void {
  for (const key of set.keys()) {
    const instead = { 'training.learningRate': '--rates', 'training.seed': '--seeds' }[key];
    if (instead !== undefined)
      throw new AuroraError('usage', `The trials of a table set ${key} themselves.`, `Use ${instead}.`);
    if (/^(adapter|sweep|claim)(\.|$)/.test(key))
      throw new AuroraError(
        'usage',
        `The trials of a table set ${key} themselves.`,
        'Write an experiment with `aurora recipe` to change it.',
      );
  }
}

function tasksOf({ name, experiments }: PaperTable, given: string | undefined): string[] {
  const all = experiments.map(({ id }) => id);
  if (given === undefined) return all;
  const wanted = given.split(/[\s,]+/).filter((task) => task !== '');
  const idOf = (task: string) => all.find((id) => id === task || basename(id) === task);
  const wrong = wanted.find((task) => idOf(task.toLowerCase()) === undefined);
  if (wrong !== undefined || wanted.length === 0)
    throw new AuroraError(
      'usage',
      wrong === undefined ? '--tasks names no task.' : `The table "${name}" has no task "${wrong}".`,
      `Its tasks are ${all.map((id) => basename(id)).join(', ')}.`,
    );
  const chosen = new Set(wanted.map((task) => idOf(task.toLowerCase())));
  return all.filter((id) => chosen.has(id));
}

function seedsOf({ name }: PaperTable, given: string | undefined): number[] {
  // Pictures are compared by eye.
  const count = given === undefined ? (name === 'dreambooth' ? 1 : 3) : wholeNumber('seeds', given);
  if (count === 0) throw new AuroraError('usage', '--seeds takes a number from 1.');
  return Array.from({ length: count }, (_, i) => i + 1);
}

function ratesOf(given: string | undefined): number[] | undefined {
  if (given === undefined) return undefined;
  const rates = given
    .split(/[\s,]+/)
    .filter((rate) => rate !== '')
    .map(Number);
  if (rates.length === 0 || rates.some((rate) => !(rate > 0 && rate < Infinity)))
    throw new AuroraError(
      'usage',
      `--rates takes learning rates, not "${given}".`,
      'For example: --rates 3e-4,1e-3,3e-3',
    );
  return [...new Set(rates)].sort((a, b) => a - b);
}
