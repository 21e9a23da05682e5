import { escapeControls } from '../../../base/escape';
import { bytes, count } from '../../../base/number-text';
import { someNames } from '../../../base/some-names';
import type { FoundRepo, GotReference } from '../../../protocol/hub';
import { table } from '../../table';

/** Labels that are named before the rest is counted. */
const NAMED = 12;

/** The lines of an experiment that uses it. */
export function gotText(got: readonly GotReference[]): string {
  const lines = got.flatMap(({ reference, split, columns = [] }) => [
    split === undefined ? reference : `${split}: ${reference}`,
    ...columns.map(
      ({ name, labels }) =>
        `  ${name}${labels === undefined ? '' : `: ${count(labels.length)} labels, ${someNames(labels, NAMED)}`}`,
    ),
  ]);
  return `${lines.map((line) => escapeControls(line)).join('\n')}\n`;
}

export function foundText(repos: readonly FoundRepo[]): string {
  const rows = repos.map(({ id, task, licence, downloads, size, changed, gated }) => [
    id,
    task ?? '',
    licence ?? '',
    size === undefined ? '' : bytes(size),
    count(downloads),
    changed?.slice(0, 10) ?? '',
    gated ? 'gated' : '',
  ]);
  return `${table([['name', 'task', 'license', 'size', 'downloads', 'changed', ''], ...rows], '   ').join('\n')}\n`;
}
