import { csv } from '../base/csv';
import { markdownTable, plainWords } from '../base/markdown';
import { t } from '../base/l10n';
import { deltaFigures, FIGURES, figureOf } from './figures/all';
import type { Figure, Table } from './figures/figure';
import { svgText } from './figures/svg';
import { missingWords } from './missing';
import { shownOf } from './shown';
import type { Section, Study } from './study';
import { groupTable, groupsCsvRows, rateTable, runsCsvRows } from './tables';
import { comparisonWords, leftOutWords, sectionNotes } from './words';

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
