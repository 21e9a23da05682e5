import { html, nothing, type TemplateResult } from 'lit';
import { t } from '../../src/base/l10n';
import type { RunData, XAxis } from './run-data';
import { divergedSwatch, faintSwatch, swatch, validationSwatch } from './swatches';
import { WEIGHTS } from '../../src/study/smoothing';
import type { DrawnUi, RunUi } from './chart-views';

/** The settings of all charts. */
export function toolbar(
  runs: readonly RunData[],
  ui: DrawnUi,
  change: (ui: Partial<RunUi>) => void,
): TemplateResult {
  const automatic = ui.smoothing === undefined;
  return html`<section class="toolbar" aria-label=${t('Charts')}>
    <label class="field">
      <span>${t('X axis')}</span>
      <vscode-dropdown
        aria-label=${t('X axis')}
        data-control="axis"
        .value=${ui.axis}
        @change=${(e: Event) =>
          change({ axis: (e.target as HTMLInputElement).value as XAxis, zoom: undefined })}
      >
        <vscode-option value="step">${t('Step')}</vscode-option>
        <vscode-option value="epoch">${t('Epoch')}</vscode-option>
        <vscode-option value="time">${t('Time')}</vscode-option>
      </vscode-dropdown>
    </label>
    <label class="field">
      <span
        >${t('Smoothing')}
        <output>${automatic ? t('auto ({0})', ui.weight || t('off')) : ui.weight || t('off')}</output></span
      >
      <input
        type="range"
        aria-label=${t('Smoothing')}
        data-control="smoothing"
        min="-1"
        max=${WEIGHTS.length - 1}
        step="1"
        .value=${String(automatic ? -1 : Math.max(0, WEIGHTS.indexOf(ui.weight as (typeof WEIGHTS)[number])))}
        aria-valuetext=${automatic ? t('automatic: {0}', smoothingWords(ui.weight)) : smoothingWords(ui.weight)}
        @input=${(e: Event) => change({ smoothing: WEIGHTS[Number((e.target as HTMLInputElement).value)] })}
      />
    </label>
    ${checkbox('log', t('Log scale'), ui.log, (log) => change({ log }))}
    ${checkbox('raw', t('Each step'), ui.raw, (raw) => change({ raw }))}
    ${checkbox('validation', t('Validation loss'), ui.validation, (validation) => change({ validation }))}
    <vscode-button
      appearance="secondary"
      data-control="reset"
      ?disabled=${!ui.zoom}
      @click=${() => change({ zoom: undefined })}
      >${t('Reset Zoom')}</vscode-button
    >
    ${runs.length > 1 ? legend(runs, ui, change) : nothing}
  </section>`;
}

const checkbox = (name: string, label: string, checked: boolean, change: (checked: boolean) => void) =>
  html`<vscode-checkbox
    data-control=${name}
    .checked=${checked}
    @change=${(e: Event) => {
      const now = (e.target as HTMLInputElement).checked;
      if (now !== checked) change(now);
    }}
    >${label}</vscode-checkbox
  >`;

function legend(runs: readonly RunData[], ui: RunUi, change: (ui: Partial<RunUi>) => void): TemplateResult {
  return html`<div class="legend" role="group" aria-label=${t('Runs shown')}>
    ${runs.map((run) => {
      const shown = !ui.hidden.includes(run.folder);
      const hidden = shown ? [...ui.hidden, run.folder] : ui.hidden.filter((folder) => folder !== run.folder);
      return html`<button
        class="legend-item"
        aria-pressed=${shown ? 'true' : 'false'}
        @click=${() => change({ hidden })}
      >
        ${swatch(run.index)} ${run.facts?.name ?? run.folder}
      </button>`;
    })}
  </div>`;
}

const smoothingWords = (weight: number): string =>
  weight === 0 ? t('no smoothing') : t('exponential moving average, weight {0}, bias-corrected', weight);

/** The legend of training and validation in all charts. @param runs that are drawn; it has the first one's color */
export function lineKey(ui: DrawnUi, runs: readonly RunData[]): TemplateResult {
  const index = runs[0]?.index ?? 0;
  const diverged = runs.some((run) => run.measured.some((e) => e.diverged));
  const smooth = ui.weight > 0;
  return html`<p class="line-key">
    ${
      ui.raw || !smooth
        ? html`<span>${smooth ? faintSwatch(index) : swatch(index)}${t('training, each step')}</span>`
        : nothing
    }
    ${smooth ? html`<span>${swatch(index)}${t('training, smoothed: {0}', smoothingWords(ui.weight))}</span>` : nothing}
    <span>${validationSwatch(index)}${t('validation')}</span>
    ${diverged ? html`<span>${divergedSwatch()}${t('diverged evaluation')}</span>` : nothing}
  </p>`;
}
