import { csv } from '../base/csv';
import { markdownTable, plainWords } from '../base/escape';
import { t } from '../base/l10n';
import { bytes, count, rateNumber, stepTime } from '../base/number-text';
import type { MetricName } from '../experiment/metrics';
import { deltaFigures, figureOf, FIGURES } from './figures/all';
import { formMeans } from './figures/bars';
import type { Figure, Table } from './figures/figure';
import { svgText } from './figures/svg';
import { type Group, seedOf } from './groups';
import { metricTitle, shown } from './metric';
import { missingWords } from './missing-results';
import { shownOf } from './shown';
import type { Summary } from './statistics/summary';
import type { Section, Study } from './study';
import type { StudyRun } from './study-run';
import { comparisonWords, leftOutWords, sectionNotes } from './study-words';

/** Wide enough for the names beside the points. */
const WIDTH = 760;
const HALF = 560;
/** Groups whose ΔW is drawn. */
const MOST_DELTAS = 6;

/** A report's files by their path in its folder: report.md, its figures as SVG, and the numbers as CSV. */
export function reportFiles(study: Study, title: string): Map<string, string> {
  const files = new Map<string, string>();
  const parts = shownOf(study).sections.map((section, i) => sectionText(section, i, study, files));
  const rest = [
    ...leftOutWords(study),
    ...study.missing.map((m) => `${missingWords(m)} ${t('To measure it, run: aurora study … --measure')}`),
  ];
  const text = [
    `# ${plainWords(title)}`,
    t(
      'All numbers come from run folders: [runs.csv](runs.csv) has one row per run, [groups.csv](groups.csv) one per group.',
    ),
    ...parts,
    ...(rest.length > 0 ? [`## ${t('Not included')}`, list(rest)] : []),
  ].join('\n\n');
  files.set('report.md', `${text}\n`);
  files.set('runs.csv', csv(runsCsvRows(study)));
  files.set('groups.csv', csv(groupsCsvRows(study)));
  return files;
}

function sectionText(section: Section, index: number, study: Study, files: Map<string, string>): string {
  const { metric } = study;
  const groups = groupTable(section, metric);
  const rates = rateTable(section, metric);
  const picture = (figure: Figure, name: string): string => {
    const path = `figures/${index + 1}-${name}.svg`;
    files.set(path, svgText(figure));
    return [`### ${plainWords(figure.title)}`, `![${plainWords(figure.summary)}](${path})`].join('\n\n');
  };
  const figures = FIGURES.flatMap((name) => {
    const figure = figureOf(name, section, metric, WIDTH);
    return figure ? [picture(figure, name) + (name === 'merged' ? `\n\n${markdown(figure.table)}` : '')] : [];
  });
  const deltas = section.groups
    .filter((g) => g.chosen && g.runs.some((r) => r.geometry))
    .slice(0, MOST_DELTAS)
    .flatMap((g, i) =>
      deltaFigures(section, g.label, HALF).map((f, k) => picture(f, `delta-${i + 1}-${k + 1}`)),
    );
  return [
    `## ${plainWords(section.name)}`,
    markdown(groups),
    ...(groups.same ? [plainWords(groups.same)] : []),
    ...(rates ? [markdown(rates)] : []),
    ...(section.comparisons.length > 0
      ? [`### ${t('Differences')}`, list(section.comparisons.map((c) => comparisonWords(c, study)))]
      : []),
    ...figures,
    ...deltas,
    `### ${t('How to read the numbers')}`,
    list(sectionNotes(section, study)),
  ].join('\n\n');
}

const list = (items: readonly string[]): string => items.map((item) => `- ${plainWords(item)}`).join('\n');

/** Numbers right-aligned, names left-aligned. */
const markdown = ({ head, rows }: Table): string =>
  markdownTable(
    head.map(plainWords),
    rows.map((cells) => cells.map(plainWords)),
  );

/** 63.2 ± 0.2 */
const spreadText = (metric: MetricName, { mean, deviation }: Summary): string =>
  deviation === undefined ? shown(metric, mean) : `${shown(metric, mean)} ± ${shown(metric, deviation)}`;

interface GroupColumn {
  head: string;
  cell(group: Group): string;
  /** A result, which stays even if it is the same for all. */
  isResult?: true;
}

/**
 * The groups of a data set, formatted for reading. Settings that are the same for all have no column: `same` states
 * them in a line, which is empty if everything differs.
 */
export function groupTable({ groups }: Section, metric: MetricName): Table & { same: string } {
  const chosen = groups.filter((g) => g.chosen);
  const filled = groupColumns(metric).map((column) => ({ ...column, cells: chosen.map(column.cell) }));
  const isSame = ({ isResult, cells }: (typeof filled)[number]) =>
    !isResult && cells.length > 1 && cells.every((cell) => cell === cells[0]);
  const shown = filled.filter((column) => !isSame(column));
  const facts = filled
    .filter(isSame)
    .flatMap(({ head, cells }) => (cells[0] === NONE ? [] : `${head} ${cells[0]}`));
  return {
    head: [t('group'), ...shown.map((column) => column.head)],
    rows: chosen.map((g, i) => [g.label, ...shown.map(({ cells }) => cells[i])]),
    same: facts.length > 0 ? t('The same for all groups: {0}', facts.join(' · ')) : '',
  };
}

/** The cell for a value that was not measured. */
const NONE = '–';

const groupColumns = (metric: MetricName): GroupColumn[] => [
  {
    head: t('runs'),
    cell: ({ runs, diverged }) =>
      diverged.length === 0 ? String(runs.length) : t('{0} (and {1} diverged)', runs.length, diverged.length),
  },
  { head: t('parameters'), cell: (g) => count(g.parameters) },
  { head: t('learning rate'), cell: (g) => rateNumber(g.learningRate) },
  ...[...new Set<MetricName>([metric, 'loss'])].map((m): GroupColumn => ({
    head: metricTitle(m),
    cell: (g) => spreadText(m, g.metrics[m]),
    isResult: true,
  })),
  { head: t('time per step'), cell: (g) => (g.stepSeconds ? stepTime(g.stepSeconds.mean) : NONE) },
  { head: t('peak memory'), cell: (g) => (g.memory ? bytes(g.memory.mean) : NONE) },
];

/** The learning rates of each search, with the chosen one marked. */
export function rateTable({ searches }: Section, metric: MetricName): Table | undefined {
  if (searches.length === 0) return undefined;
  return {
    head: [t('group'), t('learning rate'), metricTitle(metric), t('chosen')],
    rows: searches.flatMap((s) =>
      s.tried.map(({ learningRate, mean, chosen }) => [
        s.label,
        rateNumber(learningRate),
        mean === 'diverged' ? t('diverged') : shown(metric, mean),
        chosen ? t('yes') : '',
      ]),
    ),
  };
}

type Cell = string | number;

/** The choices made on the set that these runs are evaluated on: "early-stopping halving learning-rate", or nothing. */
function chosenOnValidation({ on, searches }: Section, group: Group, runs: readonly StudyRun[]): string {
  if (on !== 'validation') return '';
  const searched = searches.some((s) => s.label === group.label);
  return [...new Set(runs.flatMap((r) => r.chosenBy)), ...(searched ? ['learning-rate'] : [])].join(' ');
}

/** The merged forms, as in the names of columns: the linear fit, and the paper's merge. */
const FORMS = ['fitted', 'paper'] as const;

/** Every run that counts, with all digits. */
export function runsCsvRows({ sections, metrics }: Study): Cell[][] {
  const head = [
    ...['data', 'group', 'run', 'name', 'method', 'rank', 'learning_rate', 'seed', 'step', 'parameters'],
    ...metrics,
    ...FORMS.flatMap((form) => metrics.map((m) => `${form}_${m}`)),
    ...['step_seconds', 'peak_memory_bytes', 'place', 'chosen_on_validation', 'evaluated_on'],
  ];
  const rows = sections.flatMap((s) =>
    s.groups.flatMap((g) =>
      g.runs.map((r): Cell[] => [
        s.name,
        g.label,
        r.folder.split(/[\\/]/).at(-1)!,
        r.name,
        g.method,
        g.rank ?? '',
        g.learningRate,
        seedOf(r),
        r.step,
        r.parameters,
        ...metrics.map((m) => r.metrics[m] ?? ''),
        // Merged forms are measured on the validation set only.
        ...FORMS.flatMap((form) =>
          metrics.map((m) => (s.on === 'validation' ? (r.forms?.[form][m] ?? '') : '')),
        ),
        r.stepSeconds ?? '',
        r.memory ?? '',
        r.place ?? '',
        chosenOnValidation(s, g, [r]),
        s.on,
      ]),
    ),
  );
  return [head, ...rows];
}

/** Every group, and its comparison with the reference of its data set. */
export function groupsCsvRows({ sections, metric, metrics }: Study): Cell[][] {
  const of = (name: string) => ['mean', 'deviation', 'half_interval_95'].map((part) => `${name}_${part}`);
  const head = [
    ...['data', 'group', 'method', 'rank', 'learning_rate', 'chosen', 'runs', 'seeds', 'parameters'],
    ...metrics.flatMap(of),
    ...['step_seconds_mean', 'peak_memory_bytes_mean', ...FORMS.map((form) => `${form}_${metric}_mean`)],
    ...['compared_with', 'compared_by', `${metric}_difference`, 'difference_half_interval_95'],
    ...[
      'p',
      'p_holm',
      'smallest_detectable_difference',
      'chosen_on_validation',
      'diverged_seeds',
      'evaluated_on',
    ],
  ];
  const rows = sections.flatMap((s) =>
    s.groups.map((g): Cell[] => {
      const c = s.comparisons.find((c) => c.a === g.label);
      return [
        s.name,
        g.label,
        g.method,
        g.rank ?? '',
        g.learningRate,
        g.chosen ? 1 : 0,
        g.runs.length,
        g.seeds.join(' '),
        g.parameters,
        ...metrics.flatMap((m): Cell[] => {
          const { mean, deviation, half } = g.metrics[m];
          return [mean, deviation ?? '', half ?? ''];
        }),
        g.stepSeconds?.mean ?? '',
        g.memory?.mean ?? '',
        ...FORMS.map((form) => (s.on === 'validation' ? (formMeans(g, metric)?.[form] ?? '') : '')),
        ...(c
          ? [c.b, c.kind, c.mean, c.half ?? '', c.chance ?? '', c.corrected ?? '', c.detectable ?? '']
          : ['', '', '', '', '', '', '']),
        chosenOnValidation(s, g, g.runs),
        g.diverged.join(' '),
        s.on,
      ];
    }),
  );
  return [head, ...rows, ...sections.flatMap((s) => lostRateRows(s, metrics, head))];
}

/** Learning rates with which every run diverged: they form no group. */
function lostRateRows(
  { name, groups, searches }: Section,
  metrics: readonly MetricName[],
  head: readonly Cell[],
): Cell[][] {
  return searches.flatMap(({ label, tried }) => {
    const { method, rank = '' } = groups.find((g) => g.label === label)!;
    return tried.flatMap(({ learningRate, lostSeeds }) => {
      if (!lostSeeds) return [];
      const known = {
        data: name,
        group: label,
        method,
        rank,
        learning_rate: learningRate,
        chosen: 0,
        runs: 0,
      };
      const means = metrics.map((m) => [`${m}_mean`, 'diverged'] as const);
      const cells = new Map<Cell, Cell>([
        ...Object.entries(known),
        ...means,
        ['diverged_seeds', lostSeeds.join(' ')],
      ]);
      return [head.map((column) => cells.get(column) ?? '')];
    });
  });
}
