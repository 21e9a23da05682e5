import { html, nothing } from 'lit';
import { t } from '../../src/base/l10n';
import { count, r2Text, shortNumber } from '../../src/base/number-text';
import type { NonlinearityMessage, ViewMessage } from '../../src/protocol/panels/activations';
import {
  fallbackWords,
  type LayerFacts,
  nonlinearityRemarks,
  nonlinearityRows,
  nonlinearityVerdict,
  signed,
} from '../../src/protocol/reports/nonlinearity-report';
import { columnTitle, isNumber, type ReportTable } from '../../src/protocol/reports/report';

interface EffectActions {
  measure(): void;
  cancel(): void;
  show(step: number): void;
}

/** The loss without σ, of the whole run: in words and as a table. */
export function sigmaEffect(message: NonlinearityMessage | undefined, view: ViewMessage, act: EffectActions) {
  if (!message) return nothing;
  const { result, best, measuring, error, outdated } = message;
  if (!result && best === undefined) return nothing;
  return html`<section class="effect" aria-label=${t('The effect of σ')}>
    <h2>${t('The effect of σ')}</h2>
    ${error === undefined ? nothing : html`<p class="error" role="alert">${error}</p>`}
    ${
      outdated === undefined
        ? nothing
        : html`<p class="notice" role="status">
            ${
              outdated === 'run'
                ? t(
                    'The run was trained again from before this step. Measure again to see the effect of σ now.',
                  )
                : t('The validation data have changed since this was measured.')
            }
          </p>`
    }
    ${
      result
        ? html`<p class="verdict">${nonlinearityVerdict(result)}</p>
            ${nonlinearityRemarks(result).map((words) => html`<p class="note">${words}</p>`)}
            ${table(nonlinearityRows(result))} ${otherStep(result.step, view, act)}`
        : html`<p class="note">
            ${t(
              'How much of what the adapters gain needs their nonlinearity? This fits a line to each σ on training tokens, and measures the validation loss with all of them replaced, each alone, and without the adapters.',
            )}
          </p>`
    }
    ${measuring ? progress(measuring, act) : best === undefined ? nothing : button(result !== undefined, best, act)}
  </section>`;
}

const button = (again: boolean, best: number, act: EffectActions) =>
  html`<div class="copy">
    <vscode-button appearance="secondary" data-action="measure" @click=${act.measure}
      >${again ? t('Measure Again') : t('Measure the Effect of σ')}</vscode-button
    >
    <span class="note">${t('at step {0}, the best', count(best))}</span>
  </div>`;

const progress = ({ words, share }: NonNullable<NonlinearityMessage['measuring']>, act: EffectActions) =>
  html`<div class="notice measuring">
    <p role="status">${words}</p>
    <progress aria-label=${t('Measuring')} max="1" value=${share ?? nothing}></progress>
    <vscode-button appearance="secondary" data-action="cancel" @click=${act.cancel}
      >${t('Cancel')}</vscode-button
    >
  </div>`;

/** The lines belong to one step, which may not be the shown one. */
function otherStep(step: number, { step: shown, steps }: ViewMessage, act: EffectActions) {
  if (step === shown || steps.length === 0) return nothing;
  const words = t('This was measured at step {0}, the curves are from step {1}.', count(step), count(shown));
  return html`<p class="note">
    ${words}
    ${
      steps.includes(step)
        ? html`<button class="link" data-action="show-step" @click=${() => act.show(step)}>
            ${t('Show step {0}', count(step))}
          </button>`
        : nothing
    }
  </p>`;
}

const table = ({ columns, rows }: ReportTable) =>
  html`<div class="scroll" tabindex="0" role="group" aria-label=${t('The loss without σ')}>
    <table class="rows">
      <tr>
        ${columns.map((c) => html`<th scope="col" class=${isNumber(c) ? 'number' : 'name'}>${columnTitle(c)}</th>`)}
      </tr>
      ${rows.map(
        ([name, ...cells]) =>
          html`<tr>
            <th scope="row" class="name">${name}</th>
            ${cells.map((cell) => html`<td>${cell}</td>`)}
          </tr>`,
      )}
    </table>
  </div>`;

/** The effect of one layer's σ, in sentences; empty if it was not measured. */
export function layerEffect(layer: LayerFacts | undefined): string {
  if (!layer) return '';
  const { r2, rise, fallback } = layer;
  return [
    t('The linear fit explains the output of the adapter on held-out tokens with R² {0}.', r2Text(r2)),
    rise
      ? t(
          'Replacing σ by it in this layer alone changes the validation loss by {0} (standard error {1}).',
          signed(rise.mean),
          shortNumber(rise.error),
        )
      : '',
    fallback ? t('It was fitted by a simpler rule: {0}.', fallbackWords(fallback)) : '',
  ]
    .filter((words) => words !== '')
    .join(' ');
}
