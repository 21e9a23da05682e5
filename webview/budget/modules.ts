import { html, nothing, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { Budget } from '../../src/protocol/budget';
import { csv } from '../ui/csv';
import { t } from '../../src/base/l10n';
import { count } from '../../src/base/number-text';

/** One row per adapted module, with the total below. */
export function moduleTable({ modules, adapter }: Budget, copy: (text: string) => void): TemplateResult {
  // Most models call each layer once, which makes the column pointless.
  const calls = modules.some((m) => m.calls !== 1);
  const table = () =>
    csv([
      ['module', 'in', 'out', 'calls', 'rank', 'parameters'],
      ...modules.map((m) => [m.path, m.inFeatures, m.outFeatures, m.calls, m.rank ?? '', m.parameters]),
    ]);
  return html`<section aria-labelledby="modules-title">
    <div class="title-row">
      <h2 id="modules-title">${t('Adapted modules ({0})', count(modules.length))}</h2>
      <vscode-button appearance="secondary" @click=${() => copy(table())}>${t('Copy as CSV')}</vscode-button>
    </div>
    <div class="scroll tall" tabindex="0" role="region" aria-labelledby="modules-title">
      <table class="modules">
        <thead>
          <tr>
            <th scope="col">${t('Module')}</th>
            <th scope="col">${t('In')}</th>
            <th scope="col">${t('Out')}</th>
            ${calls ? html`<th scope="col">${t('Calls')}</th>` : nothing}
            <th scope="col">${t('Rank')}</th>
            <th scope="col">${t('Parameters')}</th>
          </tr>
        </thead>
        <tbody>
          ${repeat(
            modules,
            (m) => m.path,
            (m) =>
              html`<tr>
                <th scope="row">${m.path}</th>
                <td>${count(m.inFeatures)}</td>
                <td>${count(m.outFeatures)}</td>
                ${calls ? html`<td>${count(m.calls)}</td>` : nothing}
                <td>${m.rank ?? '–'}</td>
                <td>${count(m.parameters)}</td>
              </tr>`,
          )}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row" colspan=${calls ? 5 : 4}>${t('Total')}</th>
            <td>${count(adapter.parameters)}</td>
          </tr>
        </tfoot>
      </table>
    </div>
  </section>`;
}
