import { html, nothing, type TemplateResult } from 'lit';
import { t } from '../../src/base/l10n';
import type { CombinedView } from '../../src/protocol/panels/playground-view';

interface AdapterListActions {
  /** @param weights that of the run's own adapter, then those of the others in their order */
  weigh(weights: number[]): void;
  remove(run: string): void;
}

/** The usual weights; others can be typed. */
const [LEAST, MOST, STEP] = [0, 2, 0.05];

/**
 * The adapters that answer together, each with its weight.
 *
 * @param own the title of the run whose playground it is
 */
export function adapterList(own: string, combined: CombinedView, act: AdapterListActions): TemplateResult {
  const rows = [{ title: own, weight: combined.weight, path: undefined }, ...combined.adapters];
  const set = (index: number, weight: number) => {
    if (Number.isFinite(weight)) act.weigh(rows.map((row, i) => (i === index ? weight : row.weight)));
  };
  return html`<fieldset class="adapters">
    <legend>${t('Adapters')}</legend>
    ${rows.map(
      ({ title, weight, path }, i) =>
        html`<div class="adapter" data-adapter=${i}>
          <span>${title}</span>
          <input
            type="range"
            min=${LEAST}
            max=${MOST}
            step=${STEP}
            aria-label=${t('Weight of {0}', title)}
            .value=${String(weight)}
            @change=${(e: Event) => set(i, (e.target as HTMLInputElement).valueAsNumber)}
          />
          <input
            type="number"
            step=${STEP}
            aria-label=${t('Weight of {0} as a number', title)}
            .value=${String(weight)}
            @change=${(e: Event) => set(i, (e.target as HTMLInputElement).valueAsNumber)}
          />
          ${
            path === undefined
              ? nothing
              : html`<vscode-button
                  appearance="secondary"
                  aria-label=${t('Remove {0}', title)}
                  @click=${() => act.remove(path)}
                  >${t('Remove')}</vscode-button
                >`
          }
        </div>`,
    )}
    <p class="note">
      ${t('Each adapter’s change of the model is multiplied by its weight, and they are added.')}
    </p>
  </fieldset>`;
}
