import { html } from 'lit';
import type { Table } from '../../src/study/figures/figure';

/** Names left-aligned, numbers right-aligned; scrolls if it does not fit. */
export const dataTable = ({ head, rows }: Table, name: string) =>
  html`<div class="scroll" tabindex="0" role="region" aria-label=${name}>
    <table>
      <thead>
        <tr>
          ${head.map((cell) => html`<th scope="col">${cell}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ([first, ...rest]) =>
            html`<tr>
              <th scope="row">${first}</th>
              ${rest.map((cell) => html`<td>${cell}</td>`)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
