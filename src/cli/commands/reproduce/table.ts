import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AuroraError, EXIT } from '../../../base/errors';
import { rateNumber } from '../../../base/number-text';
import { trialCount } from '../../../experiment/method-comparison';
import { writeAtomic } from '../../../files/atomic';
import { markdownText } from '../../../protocol/reports/markdown-text';
import type { Part } from '../../../protocol/reports/report';
import { settingsOf } from '../../../recipes/data/data-set-registry';
import { PAPER } from '../../../recipes/paper-data';
import { PUBLISHED } from '../../../recipes/paper-report';
import { isLora, paperModelOf, type PaperTable } from '../../../recipes/paper-tables';
import { loadExperiment } from '../../../runs/experiment/load';
import { createFolder } from '../../../runs/layout';
import { tableCells, type TaskRuns } from '../../../study/paper-table/table-cells';
import { type ReproducedTable, tableCsv, tableReport } from '../../../study/paper-table/table-report';
import type { ParsedArgs } from '../../command';
import { deviceRequest } from '../../device-options';
import { hints, isQuiet, write } from '../../output';
import { terminalText } from '../../report-text';
import { onInterrupt } from '../../signals';
import { interruptedWords, optionsOf } from '../sweep/trial-options';
import {
  fittedTable,
  makeExperiment,
  otherSettings,
  ratesFor,
  type TableRecipe,
  updateTrials,
} from './table-experiment';
import { SUBJECT, tableRequest, type TableRequest } from './table-request';
import { findSources } from './table-sources';
import { experimentFile, reasonOf, trainTask } from './train-table';

/** An experiment of the table, and its file. */
interface Task {
  id: string;
  name: string;
  file: string;
  recipe?: TableRecipe;
}

/**
 * Trains a table and reports it.
 *
 * @returns the exit code
 * @throws AuroraError 'usage' for a request that cannot be met, and any error of the model or of the only data set
 */
export async function reproduceTable(args: ParsedArgs): Promise<number> {
  const asked = tableRequest(args);
  // Reports an unknown device once, instead of for each data set.
  deviceRequest(args);
  const tasks = tasksOf(asked);
  const json = args.flag('json');
  const dryRun = args.flag('dry-run');
  if (dryRun) await showPlan(asked, tasks, json);
  const missing: ReproducedTable['missing'][number][] = [];
  const lose = async (name: string, why: string) => {
    missing.push({ name, why });
    if (json) await write(`${JSON.stringify({ kind: 'missing', name, why })}\n`);
    else process.stderr.write(`warning: ${name} is left out: ${why}\n`);
  };
  const lacking = tasks.filter(({ file }) => !existsSync(file));
  if (lacking.length > 0 && !(await writeExperiments(asked, lacking, args, lose))) return EXIT.ok;
  if (dryRun) return EXIT.ok;
  const interrupted = onInterrupt(interruptedWords(optionsOf(args).on ?? 'local'));
  const ready = tasks.filter(({ file }) => existsSync(file));
  const request = { ...asked, table: fittedTable(ready[0]!.file, asked) };
  const results: TaskRuns[] = [];
  let failed = false;
  for (const [i, task] of ready.entries()) {
    const { id, name, file } = task;
    if (json) await write(`${JSON.stringify({ kind: 'task', id, file })}\n`);
    else if (!isQuiet()) process.stderr.write(`\n${name} (${i + 1} of ${ready.length})\n`);
    try {
      updateTrials(file, request);
      const trained = await trainTask(file, { name, columns: columnsOf(task) }, request, args, interrupted);
      if (trained.stopped !== undefined) return trained.stopped;
      failed ||= trained.failed;
      if (trained.runs) results.push(trained.runs);
      else await lose(name, 'none of its runs has finished.');
    } catch (e) {
      if (ready.length === 1) throw e;
      await lose(name, reasonOf(e));
    }
  }
  await report(request, tasks, { results, missing }, json);
  return failed || missing.length > 0 ? EXIT.failed : EXIT.ok;
}

function tasksOf(request: TableRequest): Task[] {
  const { table, tasks } = request;
  return tasks.map((id) => {
    const file = experimentFile(request, id);
    const found = table.recipes.find(({ recipe }) => recipe.id === id);
    if (!found) return { id, name: 'DreamBooth', file };
    const { recipe, size } = found;
    return { id, name: recipe.name, file, recipe: { recipe, size, paper: settingsOf(recipe, size) } };
  });
}

const columnsOf = ({ id, name, recipe }: Task) =>
  recipe?.paper.dataSets ?? [{ id, name, metric: 'loss' as const }];

/** @returns false if nobody agreed to the download, or it was only to be shown */
async function writeExperiments(
  request: TableRequest,
  lacking: readonly Task[],
  args: ParsedArgs,
  lose: (name: string, why: string) => Promise<void>,
): Promise<boolean> {
  const wanted = lacking.map(({ id, recipe }) => ({ id, recipe: recipe?.recipe }));
  const dryRun = args.flag('dry-run');
  const asked = dryRun ? { ...args, flag: (name: string) => name === 'show' || args.flag(name) } : args;
  const found = await findSources(request, wanted, asked);
  if (!found) return false;
  if (dryRun) return true;
  createFolder(request.out);
  const errors: unknown[] = [];
  for (const { id, name, file, recipe } of lacking) {
    const sources = found.get(id)!;
    try {
      if (sources instanceof AuroraError) throw sources;
      await makeExperiment(file, request, recipe, sources);
    } catch (e) {
      errors.push(e);
      await lose(name, reasonOf(e));
    }
  }
  // A model that cannot be used, or the wrong folder: its hint is the next step.
  if (errors.length === request.tasks.length) throw errors[0];
  return true;
}

async function showPlan(request: TableRequest, tasks: readonly Task[], json: boolean): Promise<void> {
  const { table, seeds, out } = request;
  const rows = table.rows.filter((row) => !row.isMerged);
  const rates = (rate: number) => request.rates ?? ratesFor(table, rate);
  const plan = tasks.map(({ id, name, file, recipe }) => {
    const tried = recipe ? rates(recipe.paper.settings.learningRate!) : (request.rates ?? []);
    const trials = trialCount(rows.length, Math.max(1, tried.length), seeds.length);
    return {
      id,
      name,
      file,
      exists: existsSync(file),
      rates: tried,
      trials,
      epochs: recipe?.paper.settings.epochs,
    };
  });
  if (json)
    return write(`${JSON.stringify({ kind: 'plan', title: table.title, out, seeds, tasks: plan })}\n`);
  const parts: Part[] = [
    `${table.title}: ${rows.map(({ label }) => label).join('; ')}`,
    {
      columns: ['Data set', { number: 'Trials' }, { number: 'Epochs' }, 'Learning rates', 'Experiment'],
      rows: plan.map(({ name, trials, epochs, rates: tried, file, exists }) => [
        name,
        String(trials),
        epochs === undefined ? '' : String(epochs),
        tried.map(rateNumber).join(', '),
        exists ? `${file} (exists)` : file,
      ]),
    },
  ];
  return write(terminalText(parts));
}

/** Prints the table, and writes table.md and table.csv. */
async function report(
  request: TableRequest,
  tasks: readonly Task[],
  { results, missing }: { results: readonly TaskRuns[]; missing: ReproducedTable['missing'] },
  json: boolean,
): Promise<void> {
  const { table, out } = request;
  const all = table.name === 'dreambooth' ? [SUBJECT] : table.recipes.map(({ recipe }) => recipe.id);
  const reproduced: ReproducedTable = {
    title: table.title,
    source: PAPER.source,
    methods: table.rows,
    tasks: results,
    isWhole: results.length === all.length,
    missing,
    notes: notesOf(request, tasks, results),
  };
  const made = tableReport(reproduced);
  const files = [join(out, 'table.md'), join(out, 'table.csv')] as const;
  writeAtomic(files[0], markdownText(made));
  writeAtomic(files[1], tableCsv(reproduced));
  if (json) {
    const cells = tableCells(table.rows, results, reproduced.isWhole);
    return write(`${JSON.stringify({ kind: 'table', title: table.title, cells, missing, files })}\n`);
  }
  const parts: Part[] = [{ verdict: made.title }, ...made.parts];
  return write(`${terminalText(parts)}${hints('', `Wrote ${files.join(' and ')}`, '').join('\n')}`);
}

function notesOf(
  { table, model, rates, overrides }: TableRequest,
  tasks: readonly Task[],
  results: readonly TaskRuns[],
): string[] {
  const trained = tasks.filter(({ name }) => results.some((result) => result.name === name));
  const isOwn = paperModelOf(model) === undefined;
  const others = trained.flatMap(({ name, file, recipe }) => {
    const changed = otherSettings(loadExperiment(file, overrides), recipe?.paper);
    return changed.length === 0 ? [] : [`Other settings for ${name}: ${changed.join(', ')}.`];
  });
  const isQuoted = table.rows.some(({ adapter, paper }) => isLora(adapter) && Object.keys(paper).length > 0);
  return [
    ...(isOwn ? [`The model here is ${model}; the paper’s is ${table.model.name}.`] : []),
    ...table.rows.flatMap(({ label, paperRank }) =>
      paperRank === undefined
        ? []
        : [`${label} has the largest rank that the layers of this model allow; the paper’s is ${paperRank}.`],
    ),
    ...(rates ? ['The learning rates were chosen on the command line.'] : []),
    ...others,
    ...scoreNotes(table),
    ...(isQuoted ? [PAPER.baselines, ...(PUBLISHED[table.model.id]?.notes ?? [])] : []),
  ];
}

/** The data that scores are from, and the step. */
function scoreNotes({ name, recipes }: PaperTable): string[] {
  if (name === 'dreambooth')
    return ['The paper shows pictures and no scores. The pictures of each run are in its folder.'];
  return recipes.some(({ columns }) => columns.length > 1)
    ? [
        'Scores on the test sets are of the checkpoint that is best on questions held out of the training data; without test sets, of the last step on these.',
      ]
    : ['Scores are of the last step, on validation data. The paper does not state its split.'];
}
