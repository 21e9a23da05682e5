import { html, nothing } from 'lit';
import type { TableState } from '../../src/study/runs-table/fields';
import { cellText, meanText } from '../../src/study/runs-table/runs-columns';
import type { RowGroup } from '../../src/study/runs-table/group';
import { isNumeric, type Column, type Value } from '../../src/study/runs-table/table';
import { count } from '../../src/base/number-text';
import { t } from '../../src/base/l10n';

/** Shorter names are rarely cut, and stay one piece of text. */
const SHORT = 24;
/** Characters at the end that stay visible. */
const END = 12;

/** A run's name that is cut in its middle if there is no room: names that begin alike differ at their ends. */
export function runName(name: string) {
  const all = [...name];
  if (all.length <= SHORT) return name;
  return html`<span class="run-name"
    ><span>${all.slice(0, -END).join('')}</span><span>${all.slice(-END).join('')}</span></span
  >`;
}

/** States differ by more than color. */
const MARKS: Record<TableState, string> = {
  queued: '…',
  starting: '○',
  running: '●',
  finished: '✓',
  diverged: '✗',
  stopped: '■',
  pruned: '⊘',
  failed: '✗',
  lost: '?',
  damaged: '!',
};
/** States that look as if all were well, whatever alarms there are. */
const CALM: readonly TableState[] = ['running', 'finished', 'stopped', 'pruned'];

/** @param alarms what is wrong with the run, which its state alone hides */
export function cell(column: Column, value: Value, alarms = '') {
  const text = cellText(column, value);
  if (column.key === 'state' && text !== '') return stateCell(value as TableState, text, alarms);
  if (column.key === 'star')
    return html`<div
      role="gridcell"
      class="cell"
      aria-label=${value === true ? t('starred') : t('not starred')}
    >
      ${text}
    </div>`;
  // A text may be cut off.
  const title = text.length > 20 ? text : nothing;
  return html`<div role="gridcell" class=${isNumeric(column) ? 'cell number' : 'cell'} title=${title}>
    ${column.key === 'name' ? runName(text) : text}
  </div>`;
}

function stateCell(state: TableState, text: string, alarms: string) {
  const warns = alarms !== '' && CALM.includes(state);
  return html`<div
    role="gridcell"
    class=${warns ? 'cell state warns' : 'cell state'}
    data-state=${state}
    title=${alarms === '' ? nothing : `${text}: ${alarms}`}
  >
    <span class="mark" aria-hidden="true">${warns ? '⚠' : (MARKS[state] ?? '')}</span> ${text}
    ${alarms === '' ? nothing : html`<span class="visually-hidden">${t('with alarms: {0}', alarms)}</span>`}
  </div>`;
}

/** "81.0% ± 1.2%", and in words for those who do not see the sign's meaning. */
export function groupCell(column: Column, { rows, summaries }: RowGroup) {
  const summary = isNumeric(column) ? summaries.get(column.key) : undefined;
  if (!summary) return html`<div role="gridcell" class="cell"></div>`;
  const { n, mean, deviation } = summary;
  const text = (value: number) => meanText(column, value);
  const short = deviation === undefined ? text(mean) : `${text(mean)} ± ${text(deviation)}`;
  const of =
    n < rows.length ? t('of {0} of {1} runs', count(n), count(rows.length)) : t('of {0} runs', count(n));
  const words =
    deviation === undefined
      ? t('mean {0}, {1}', text(mean), of)
      : t('mean {0}, standard deviation {1}, {2}', text(mean), text(deviation), of);
  return html`<div role="gridcell" class="cell number" title=${words}>
    <span aria-hidden="true">${short}</span><span class="visually-hidden">${words}</span>
  </div>`;
}
