import { html, nothing, type TemplateResult } from 'lit';
import { t } from '../../src/base/l10n';
import type { RunData } from './run-data';
import { swatch } from './swatches';

/**
 * Settings by dotted key, with lists and empty objects as single values. The name is omitted, since it does not affect
 * training.
 */
export function flatten(value: unknown, prefix = ''): Map<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || Object.keys(value).length === 0)
    return new Map([[prefix, JSON.stringify(value)]]);
  return new Map(
    Object.entries(value).flatMap(([key, inner]) => [...flatten(inner, prefix ? `${prefix}.${key}` : key)]),
  );
}

/** Keys whose values differ between runs, in the order of the first run that has them. */
export function differences(settings: readonly Map<string, string>[]): string[] {
  const keys = new Set(settings.flatMap((s) => [...s.keys()]));
  return [...keys].filter((key) => new Set(settings.map((s) => s.get(key))).size > 1);
}

/** The settings that differ, with a link to all of them in the diff editor. */
export function settingsTable(
  runs: readonly RunData[],
  pair: readonly [number, number],
  choose: (pair: [number, number]) => void,
  compare: (a: RunData, b: RunData) => void,
): TemplateResult | typeof nothing {
  const known = runs.filter((r) => r.facts?.spec);
  if (known.length < 2) return nothing;
  const settings = known.map((r) => flatten(r.facts!.spec));
  const keys = differences(settings);
  return html`<section aria-labelledby="settings-heading">
    <h2 id="settings-heading">${t('Settings that differ')}</h2>
    ${
      keys.length === 0
        ? html`<p>${t('All settings of these runs are the same.')}</p>`
        : html`<div class="scroll" tabindex="0" role="region" aria-labelledby="settings-heading">
            <table data-table="settings">
              <thead>
                <tr>
                  <th scope="col">${t('Setting')}</th>
                  ${known.map((r) => html`<th scope="col">${swatch(r.index)} ${r.facts!.name}</th>`)}
                </tr>
              </thead>
              <tbody>
                ${keys.map(
                  (key) =>
                    html`<tr>
                      <th scope="row"><code>${key}</code></th>
                      ${settings.map((s) => html`<td>${s.get(key) ?? t('not set')}</td>`)}
                    </tr>`,
                )}
              </tbody>
            </table>
          </div>`
    }
    <div class="buttons">
      ${runs.length > 2 ? pairChoice(runs, pair, choose) : nothing}
      <vscode-button
        appearance="secondary"
        data-action="compare"
        ?disabled=${pair[0] === pair[1]}
        @click=${() => compare(runs[pair[0]], runs[pair[1]])}
        >${t('Compare All Settings')}</vscode-button
      >
    </div>
  </section>`;
}

const pairChoice = (
  runs: readonly RunData[],
  pair: readonly [number, number],
  choose: (pair: [number, number]) => void,
) =>
  [0, 1].map(
    (side) =>
      html`<vscode-dropdown
        aria-label=${side === 0 ? t('Compare the settings of') : t('With the settings of')}
        .value=${String(pair[side])}
        @change=${(e: Event) => {
          const chosen = Number((e.target as HTMLInputElement).value);
          choose(side === 0 ? [chosen, pair[1]] : [pair[0], chosen]);
        }}
      >
        ${runs.map((r, i) => html`<vscode-option value=${String(i)}>${r.facts?.name ?? r.folder}</vscode-option>`)}
      </vscode-dropdown>`,
  );
