import { basename, join, resolve } from 'node:path';
import { AuroraError, EXIT } from '../../base/errors';
import { escapeControls } from '../../base/escape';
import { isMetric, METRICS } from '../../experiment/metrics';
import { writeAtomic } from '../../files/atomic';
import { FilesNow } from '../../runs/inputs';
import { experimentName } from '../../runs/layout';
import { nameAll } from '../../runs/name-all';
import { readRunSummary, type RunSummary } from '../../runs/run-summary';
import { QUICK } from '../../runs/run-files';
import { studyFolders, studyRun } from '../../runs/run-in-study';
import { mergedForms } from '../../study/figures/bars';
import type { Table } from '../../study/figures/figure';
import { missingWords } from '../../study/missing-results';
import { plainStudy, type StudyLine } from '../../study/page-study';
import { shownOf } from '../../study/shown';
import { type Section, type Study, studyOf } from '../../study/study';
import { groupTable, rateTable, reportFiles } from '../../study/study-report';
import type { StudyRun, UnfitRun } from '../../study/study-run';
import { comparisonWords, examplesText, leftOutWords, sectionNotes } from '../../study/study-words';
import { measureRun } from '../../sweeps/study/measure-run';
import { problemOf } from '../../training/preflight/preflight-problems';
import { runFolder } from '../arguments';
import type { Command } from '../command';
import { write } from '../output';
import { endOnSignals } from '../signals';
import { table } from '../table';

export const studyCommand: Command = {
  help: `Usage: aurora study (RUN | RUNS-FOLDER | EXPERIMENT)… [--out FOLDER]

Compares finished runs. Runs that differ only in their seed form a group, and each group is compared with a reference,
in pairs of the same seed and, if predictions are available, of the same validation example. States what was tested and
how, and the smallest difference that could have been detected. RUNS-FOLDER is .aurora/runs/NAME; EXPERIMENT stands for
all its runs.

  --metric NAME    ${METRICS.join(', ')} (default: that of the runs)
  --against GROUP  the reference group, by name (default: LoRA of AuroRA's rank, if there is one)
  --measure        run the models to add what is missing: merged forms, predictions per example and the effect
                   of σ; kept in the runs
  --out FOLDER     write report.md with its figures, runs.csv and groups.csv there
  --title TEXT     the report's title (default: names what is studied)
  --json           JSON lines: measuring, result, problem
`,
  options: {
    metric: { type: 'string' },
    against: { type: 'string' },
    measure: { type: 'boolean' },
    out: { type: 'string' },
    title: { type: 'string' },
    json: { type: 'boolean' },
  },
  async run(args) {
    endOnSignals();
    const json = args.flag('json');
    try {
      if (args.positionals.length === 0)
        throw new AuroraError('usage', 'aurora study needs at least one run.', 'See `aurora study --help`.');
      const metric = args.text('metric');
      if (metric !== undefined && !isMetric(metric))
        throw new AuroraError('usage', `--metric takes ${METRICS.join(', ')}, not "${metric}".`);
      const folders = studyFolders(args.positionals.map((path) => resolve(runFolder(path))));
      const against = args.text('against');
      const options = { metric, against };
      const read = async () => studyOf(await readAll(folders), options);
      let study = await read();
      // Checked before measuring, which takes minutes.
      checkReference(study, against);
      if (args.flag('measure')) {
        await measureAll(study, (line) => tell(line, json));
        study = await read();
      }
      const folder = args.text('out');
      const out = folder === undefined ? undefined : resolve(folder);
      if (out !== undefined) writeReport(out, study, args.text('title') ?? titleOf(args.positionals));
      const line: StudyLine = {
        kind: 'result',
        study: plainStudy(study),
        out,
      };
      await write(json ? `${JSON.stringify(line)}\n` : studyText(shownOf(study)));
      if (!json && out !== undefined) await write(`\nReport  ${join(out, 'report.md')}\n`);
      return EXIT.ok;
    } catch (e) {
      if (json && e instanceof AuroraError) await write(`${JSON.stringify(problemOf(e))}\n`);
      throw e;
    }
  },
};

/**
 * Measures only runs of the chosen learning rates, since the others appear in no test or figure. A run that cannot be
 * measured is reported and does not stop the others.
 */
async function measureAll({ sections }: Study, emit: (line: StudyLine) => Promise<void>): Promise<void> {
  const shown = sections.flatMap((s) => s.groups.filter((g) => g.chosen).flatMap((g) => g.runs));
  for (const [i, { folder, name }] of shown.entries())
    try {
      await measureRun(folder, (what) =>
        emit({ kind: 'measuring', what, name, run: i + 1, runs: shown.length }),
      );
    } catch (e) {
      if (!(e instanceof AuroraError)) throw e;
      await emit({ ...problemOf(e), severity: 'warning' });
    }
}

const DOING = {
  geometry: 'weight changes',
  examples: 'predictions per example',
  merged: 'merged forms',
  nonlinearity: 'effect of σ',
} as const;

/** Results go to stdout, progress to stderr. */
async function tell(line: StudyLine, json: boolean): Promise<void> {
  if (json) return write(`${JSON.stringify(line)}\n`);
  if (line.kind === 'measuring')
    process.stderr.write(`Run ${line.run} of ${line.runs}, ${line.name}: ${DOING[line.what]}…\n`);
  if (line.kind === 'problem') process.stderr.write(`warning: ${line.message} ${line.hint ?? ''}\n`);
}

/** Sequential, since the files of a thousand runs cannot all be open at once. */
async function readAll(folders: readonly string[]): Promise<(StudyRun | UnfitRun)[]> {
  const found: { folder: string; run?: RunSummary }[] = [];
  for (const folder of folders)
    found.push({ folder, run: await unlessDamaged(() => readRunSummary(folder)) });
  const names = nameAll(found.map(({ folder, run }) => ({ folder, ...(run && { spec: run.spec }) })));
  const all: (StudyRun | UnfitRun)[] = [];
  const now = new FilesNow();
  for (const { folder, run } of found) {
    const { name } = names.get(folder)!;
    const read = run && (await unlessDamaged(() => studyRun(run, name, { files: QUICK, now })));
    all.push(read ?? { folder, name, unfit: 'damaged' });
  }
  return all;
}

async function unlessDamaged<T>(read: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (e) {
    if (e instanceof AuroraError) return undefined;
    throw e;
  }
}

function checkReference({ sections }: Study, against: string | undefined): void {
  const labels = [...new Set(sections.flatMap((s) => s.groups.filter((g) => g.chosen).map((g) => g.label)))];
  if (labels.length === 0)
    throw new AuroraError(
      'run',
      'None of these runs is finished, so there is nothing to compare.',
      'Wait until they finish, or resume them with `aurora train --resume`.',
    );
  if (against !== undefined && !labels.includes(against))
    throw new AuroraError(
      'usage',
      `No group is called "${against}".`,
      `The groups are: ${labels.join('; ')}.`,
    );
}

function writeReport(folder: string, study: Study, title: string): void {
  for (const [path, text] of reportFiles(study, title)) writeAtomic(join(folder, path), text);
}

const titleOf = (given: readonly string[]): string =>
  given.length === 1
    ? `Study of ${experimentName(basename(resolve(given[0])))}`
    : `Study of ${given.length} folders`;

const WIDTH = 100;

/** A study as terminal text. */
function studyText(study: Study): string {
  const rest = [
    ...leftOutWords(study),
    ...study.missing.map((m) => `${missingWords(m)} Add it with --measure.`),
  ];
  const parts = [
    ...study.sections.map((s) => sectionText(s, study)),
    ...(rest.length > 0 ? [wrap(rest)] : []),
  ];
  return `${escapeControls(parts.join('\n\n'), '\n')}\n`;
}

function sectionText(section: Section, study: Study): string {
  const { metric } = study;
  const groups = groupTable(section, metric);
  const rates = rateTable(section, metric);
  const merged = mergedForms(section, metric, WIDTH);
  return [
    `${section.name}, ${examplesText(section)}`,
    [rows(groups), ...(groups.same ? [`  ${groups.same}`] : [])].join('\n'),
    ...(rates ? [`Learning rates\n${rows(rates)}`] : []),
    ...(merged ? [`${merged.title}\n${rows(merged.table)}`] : []),
    ...(section.comparisons.length > 0
      ? [`Differences\n${wrap(section.comparisons.map((c) => comparisonWords(c, study)))}`]
      : []),
    `How to read it\n${wrap(sectionNotes(section, study))}`,
  ].join('\n\n');
}

const rows = ({ head, rows }: Table): string =>
  table(
    [head, ...rows].map(([first, ...more]) => [`  ${first}`, ...more]),
    '   ',
  ).join('\n');

/** Sentences as a list, wrapped for a terminal. */
const wrap = (texts: readonly string[]): string =>
  texts
    .flatMap((text) => {
      const lines: string[] = [];
      for (const word of text.split(' ')) {
        const last = lines.at(-1);
        if (last !== undefined && last.length + word.length < WIDTH)
          lines[lines.length - 1] = `${last} ${word}`;
        else lines.push(lines.length === 0 ? `  - ${word}` : `    ${word}`);
      }
      return lines;
    })
    .join('\n');
