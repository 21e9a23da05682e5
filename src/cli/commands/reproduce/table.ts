import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AuroraError, EXIT } from '../../../base/errors';
import { rateNumber } from '../../../base/number-text';
import { trialCount } from '../../../experiment/method-comparison';
import { writeAtomic } from '../../../files/atomic';
import { markdownText } from '../../../protocol/reports/markdown-text';
import type { Part } from '../../../protocol/reports/report';
import { PAPER } from '../../../recipes/paper-data';
import { PUBLISHED } from '../../../recipes/paper-report';
import {
  isOwnTable,
  isLora,
  paperModelOf,
  type PaperTable,
  type TableExperiment,
} from '../../../recipes/paper-tables';
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
import { fetchStudyFiles, studyExperiment, writeStudyExperiment } from './study-experiment';
import { fittedTable, makeExperiment, otherSettings, ratesFor, updateTrials } from './table-experiment';
import { tableRequest, type TableRequest } from './table-request';
import { findSources } from './table-sources';
import { experimentFile, placeOf, reasonOf, trainTask } from './train-table';

/** An experiment of the table, and its file. */
type Task = TableExperiment & { file: string };

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
  // Where the table began, also for data sets that have not begun.
  const begun = tasks.map(({ file }) => placeOf(file)).find((place) => place !== undefined);
  const on = optionsOf(args).on ?? begun ?? 'local';
  const interrupted = onInterrupt(interruptedWords(on));
  const ready = tasks.filter(({ file }) => existsSync(file));
  const { table } = asked;
  const request = table.model ? { ...asked, table: fittedTable(ready[0]!.file, asked) } : asked;
  const results: TaskRuns[] = [];
  let failed = false;
  for (const [i, task] of ready.entries()) {
    const { id, name, columns, file } = task;
    if (json) await write(`${JSON.stringify({ kind: 'task', id, file })}\n`);
    else if (!isQuiet()) process.stderr.write(`\n${name} (${i + 1} of ${ready.length})\n`);
    try {
      // Sizes differ between the models of a table that has several.
      const own = table.model ? request : { ...request, table: fittedTable(file, asked) };
      updateTrials(file, own);
      const trained = await trainTask(file, { name, columns }, own, args, on, interrupted);
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

const tasksOf = (request: TableRequest): Task[] =>
  request.table.experiments
    .filter(({ id }) => request.tasks.includes(id))
    .map((experiment) => ({ ...experiment, file: experimentFile(request, experiment.id) }));

/** @returns false if nobody agreed to the download, or it was only to be shown */
async function writeExperiments(
  request: TableRequest,
  lacking: readonly Task[],
  args: ParsedArgs,
  lose: (name: string, why: string) => Promise<void>,
): Promise<boolean> {
  const writeOne = await writerFor(request, lacking, args);
  if (!writeOne) return false;
  if (args.flag('dry-run')) return true;
  createFolder(request.out);
  const errors: unknown[] = [];
  for (const task of lacking)
    try {
      await writeOne(task);
    } catch (e) {
      errors.push(e);
      await lose(task.name, reasonOf(e));
    }
  // A model that cannot be used, or the wrong folder: its hint is the next step.
  if (errors.length === request.tasks.length) throw errors[0];
  return true;
}

/**
 * Gets what the experiments need.
 *
 * @returns a function that writes one of them; undefined if the downloads were only to be shown, or nobody agreed
 */
async function writerFor(
  request: TableRequest,
  lacking: readonly Task[],
  args: ParsedArgs,
): Promise<((task: Task) => Promise<void> | void) | undefined> {
  const { model, data } = request;
  if (model === undefined) {
    const studies = lacking.flatMap(({ study, file }) => (study === undefined ? [] : [{ study, file }]));
    if (!(await fetchStudyFiles(studies, request, args))) return undefined;
    return ({ study, file }) => writeStudyExperiment({ study: study!, file }, request);
  }
  const wanted = lacking.map(({ id, recipe }) => ({ id, recipe: recipe?.recipe }));
  const asked = args.flag('dry-run')
    ? { ...args, flag: (name: string) => name === 'show' || args.flag(name) }
    : args;
  const found = await findSources({ model, data }, wanted, asked);
  return (
    found &&
    (async ({ id, file, recipe }) => {
      const sources = found.get(id)!;
      if (sources instanceof AuroraError) throw sources;
      await makeExperiment(file, request, recipe, sources);
    })
  );
}

async function showPlan(request: TableRequest, tasks: readonly Task[], json: boolean): Promise<void> {
  const { table, seeds, out } = request;
  const rows = table.rows.filter((row) => !row.isMerged);
  const rates = (rate: number) => request.rates ?? ratesFor(table, rate);
  const plan = tasks.map(({ id, name, file, recipe, study }) => {
    const stated = study === undefined ? recipe?.paper.settings : studyExperiment(study).training;
    const tried = stated ? rates(stated.learningRate!) : (request.rates ?? []);
    const trials = trialCount(rows.length, Math.max(1, tried.length), seeds.length);
    return {
      id,
      name,
      file,
      exists: existsSync(file),
      rates: tried,
      trials,
      epochs: stated?.epochs,
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
  const reproduced: ReproducedTable = {
    title: table.title,
    source: PAPER.source,
    methods: table.rows,
    tasks: results,
    isWhole: results.length === table.experiments.length,
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
  const others = trained.flatMap((task) => {
    const changed = otherSettings(loadExperiment(task.file, overrides), task);
    return changed.length === 0 ? [] : [`Other settings for ${task.name}: ${changed.join(', ')}.`];
  });
  const isQuoted = table.rows.some(({ adapter, paper }) => isLora(adapter) && Object.keys(paper).length > 0);
  return [
    ...(model !== undefined && table.model && !paperModelOf(model)
      ? [`The model here is ${model}; the paper’s is ${table.model.name}.`]
      : []),
    ...table.rows.flatMap(({ label, paperRank }) =>
      paperRank === undefined
        ? []
        : [`${label} has the largest rank that the layers of this model allow; the paper’s is ${paperRank}.`],
    ),
    ...(rates ? ['The learning rates were chosen on the command line.'] : []),
    ...others,
    ...scoreNotes(table),
    ...(isQuoted && table.model ? [PAPER.baselines, ...(PUBLISHED[table.model.id]?.notes ?? [])] : []),
  ];
}

/** The data that scores are from, and the step. */
function scoreNotes({ name, experiments }: PaperTable): string[] {
  if (name === 'dreambooth')
    return ['The paper shows pictures and no scores. The pictures of each run are in its folder.'];
  if (isOwnTable(name))
    return [
      'Scores are of the last step, on validation data. Learning rates that were searched were chosen on it, so the scores are slightly optimistic.',
    ];
  return experiments.some(({ columns }) => columns.length > 1)
    ? [
        'Scores on the test sets are of the checkpoint that is best on questions held out of the training data; without test sets, of the last step on these.',
      ]
    : ['Scores are of the last step, on validation data. The paper does not state its split.'];
}
