import { html, type TemplateResult } from 'lit';
import {
  columnTitle,
  isNumber,
  isTable,
  type Part,
  type ReportTable,
} from '../../src/protocol/reports/report';

/** Parts of a report as a page: all kinds that a claim's report has. `name` is that of its tables. */
export const reportView = (parts: readonly Part[], name: string): (TemplateResult | string)[] =>
  parts.map((part) => {
    if (typeof part === 'string') return html`<p class="words">${withCode(part)}</p>`;
    if (isTable(part)) return tableView(part, name);
    if ('list' in part)
      return html`<ul class="words">
        ${part.list.map((item) => html`<li>${withCode(item)}</li>`)}
      </ul>`;
    return '';
  });

/** Text with its code spans. */
export const withCode = (text: string): (TemplateResult | string)[] =>
  text.split(/`([^`]+)`/).map((part, i) => (i % 2 === 1 ? html`<code>${part}</code>` : part));

function tableView({ columns, rows }: ReportTable, name: string): TemplateResult {
  const kind = (i: number) => (isNumber(columns[i]) ? 'number' : 'text');
  const isCode = (i: number) => typeof columns[i] === 'object' && 'code' in columns[i];
  const cell = (text: string, i: number) => (isCode(i) ? html`<code>${text}</code>` : text);
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${name}>
    <table>
      <thead>
        <tr>
          ${columns.map((column, i) => html`<th scope="col" class=${kind(i)}>${columnTitle(column)}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ([first, ...rest]) =>
            html`<tr>
              <th scope="row" class=${kind(0)}>${cell(first, 0)}</th>
              ${rest.map(
                (text, i) =>
                  html`<td class=${`${kind(i + 1)}${text.startsWith('★') ? ' best-cell' : ''}`}>
                    ${cell(text, i + 1)}
                  </td>`,
              )}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}
