import { escapeControls } from '../../../base/escape';
import { missingWords } from '../../../study/missing';
import type { Section, Study } from '../../../study/study';
import { groupTable, rateTable } from '../../../study/study-report';
import type { Table } from '../../../study/figures/figure';
import { mergedForms } from '../../../study/figures/bars';
import { comparisonWords, examplesText, leftOutWords, sectionNotes } from '../../../study/words';
import { table } from '../../table';

const WIDTH = 100;

/** A study as terminal text. */
export function studyText(study: Study): string {
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
