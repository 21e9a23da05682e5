import { resolve } from 'node:path';
import { AuroraError, EXIT } from '../../base/errors';
import { RecentLoss } from '../../runs/curve/recent-loss';
import { type Loss, lossOf } from '../../runs/ended/unexpected';
import { readForTable, type ReadRun, runSource, tableFolders } from '../../runs/runs-table';
import { tableOf } from '../../study/runs-table/runs-columns';
import { groupsCsv, rowsCsv } from '../../study/runs-table/runs-csv';
import { runFields, type RunSource } from '../../study/runs-table/fields';
import { parseFilter, type RowTest } from '../../study/runs-table/filter';
import { columnNamed } from '../../study/runs-table/filter-terms';
import { groupRows, MOST_GROUPED } from '../../study/runs-table/group';
import { type Column, type SortKey, sortRows, startsDescending } from '../../study/runs-table/table';
import { runFolder } from '../arguments';
import type { Command } from '../command';
import { write } from '../output';
import { groupsText, jsonOf, rowsText } from './runs-report';

export const runsCommand: Command = {
  help: `Usage: aurora runs [PATH…] [options]

Lists runs as a table: state, metrics, the settings in which they differ, parameters, start, duration. PATH is an experiment
file, a sweep's folder, a folder with runs, a folder with experiments at any depth (default: the current folder), or a run
by its number ('#12', or sst2#12 for the experiment sst2). Every command that takes a run takes its number, too. Runs that
cannot be read are listed, too, and named on standard error.

  --filter FILTER    such as 'accuracy > 0.9 and rank = 2', 'tag = good or star', 'not (state = failed)',
                     'name contains lora', 'started >= 2026-01-31', 'accuracy.test = none'
  --sort COLUMNS     comma-separated; COLUMN:asc or COLUMN:desc (default direction: the best or newest
                     first; without it: in the order of their starts)
  --columns LIST     comma-separated; "all" for all (default: those that differ)
  --group-by COLUMN  one line per value, with the number of runs, and mean and standard deviation of each number;
                     two columns, separated by a comma: one line per pair of values
  --json             one JSON object: columns, rows (or groups), runs that cannot be read, and why trainers of lost
                     runs ended
  --csv              all digits, for other programs

A column is named by its key ("adapter.rank") or by the end of it if that is clear ("rank"). docs/runs.md describes the filter
language.
`,
  options: {
    filter: { type: 'string' },
    sort: { type: 'string' },
    columns: { type: 'string' },
    'group-by': { type: 'string' },
    json: { type: 'boolean' },
    csv: { type: 'boolean' },
  },
  async run(args) {
    if (args.flag('json') && args.flag('csv'))
      throw new AuroraError('usage', '--json and --csv exclude each other.', 'Leave one of them out.');
    const given = args.positionals.length > 0 ? args.positionals : ['.'];
    const paths = given.map((path) => resolve(runFolder(path)));
    // For a program, a project without runs has an empty table.
    const read = readForTable(tableFolders(paths, args.flag('json') || args.flag('csv')));
    const unreadable = read.flatMap(({ run, error }) => (error ? [{ folder: run.folder, error }] : []));
    const sources = await Promise.all(read.map(({ run }) => withLoss(runSource(run))));
    const { columns, rows } = tableOf(sources.map(runFields));

    const test = filterOf(args.text('filter'), columns);
    const sort = sortOf(args.text('sort'), columns);
    const shown = shownOf(args.text('columns'), columns);
    const by = groupedBy(args.text('group-by'), columns);
    const kept = sortRows(columns, rows.filter(test), sort);
    const groups = by.length === 0 ? undefined : groupRows(columns, kept, by, sort[0]);

    if (args.flag('json'))
      await write(
        `${JSON.stringify(jsonOf({ columns, shown, rows: kept, by, groups, unreadable, lost: await lossesOf(read) }))}\n`,
      );
    else if (args.flag('csv'))
      await write(groups ? groupsCsv(columns, shown, by, groups) : rowsCsv(columns, shown, kept));
    else {
      for (const { error } of unreadable) process.stderr.write(`warning: ${error.message}\n`);
      for (const { folder, reason } of await lossesOf(read))
        process.stderr.write(`warning: The trainer of ${folder} ended unexpectedly: ${reason}.\n`);
      const width = process.stdout.columns || DEFAULT_WIDTH;
      await write(
        groups
          ? groupsText(columns, shown, by, groups, width)
          : rowsText(columns, shown, kept, rows.length, width),
      );
    }
    return EXIT.ok;
  },
};

/** With the training loss if it trains. The run's own commands report problems with its curve. */
async function withLoss(run: RunSource): Promise<RunSource> {
  if (run.state !== 'running') return run;
  const trainingLoss = await new RecentLoss(run.folder).read().catch(() => undefined);
  return trainingLoss === undefined ? run : { ...run, trainingLoss };
}

/** The reasons why trainers were killed, which they could not report. */
async function lossesOf(read: readonly { run: ReadRun }[]): Promise<(Loss & { folder: string })[]> {
  const lost: (Loss & { folder: string })[] = [];
  for (const { run } of read) {
    const loss = run.run && (await lossOf(run.run));
    if (loss) lost.push({ folder: run.folder, ...loss });
  }
  return lost;
}

/** The width of a table that is not written to a terminal. */
const DEFAULT_WIDTH = 160;

function filterOf(text: string | undefined, columns: readonly Column[]): RowTest {
  if (text === undefined) return () => true;
  const found = parseFilter(text, columns);
  if ('test' in found) return found.test;
  const { message, at } = found.problem;
  throw new AuroraError(
    'usage',
    `--filter, character ${at + 1}: ${message}`,
    `${text.slice(0, at)}➜${text.slice(at)}`,
  );
}

function named(columns: readonly Column[], name: string, option: string): number {
  const at = columnNamed(columns, name.trim());
  if (typeof at === 'number') return at;
  throw new AuroraError(
    'usage',
    `--${option}: ${at}`,
    `The columns are ${columns.map(({ key }) => key).join(', ')}.`,
  );
}

function groupedBy(text: string | undefined, columns: readonly Column[]): string[] {
  const given = text === undefined ? [] : text.split(',').map((name) => name.trim());
  if (given.length > MOST_GROUPED)
    throw new AuroraError(
      'usage',
      `--group-by takes at most ${MOST_GROUPED} columns, but got ${given.length}.`,
    );
  return [...new Set(given.map((name) => columns[named(columns, name, 'group-by')].key))];
}

function sortOf(text: string | undefined, columns: readonly Column[]): SortKey[] {
  if (text === undefined) return [];
  return text.split(',').map((part) => {
    const [, name, direction] = /^([^]*?)(?::(asc|desc))?$/.exec(part.trim())!;
    const column = columns[named(columns, name, 'sort')];
    return { key: column.key, descending: direction ? direction === 'desc' : startsDescending(column) };
  });
}

function shownOf(text: string | undefined, columns: readonly Column[]): string[] {
  if (text === undefined) return columns.filter((c) => c.shown).map((c) => c.key);
  if (text === 'all') return columns.map((c) => c.key);
  return text.split(',').map((name) => columns[named(columns, name, 'columns')].key);
}
