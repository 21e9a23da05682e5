import { html, nothing } from 'lit';
import type { LayerMessage, SigmaInfo, WordsMessage } from '../../src/protocol/panels/activations';
import { t } from '../../src/base/l10n';
import { heatMap } from './heat-map';
import { r2Text } from '../../src/base/number-text';
import { csv, number, shareText } from './numbers';
import { wordsPanel } from './words';

export interface LargeActions {
  choose(output: number, input: number): void;
  bin(bin: number): void;
  move(by: number): void;
  close(): void;
  openRow(example: number): void;
  copy(text: string): void;
}

/** Up to this rank W is small enough to be expanded by default. */
const WIDE_RANK = 4;

/** Rows of the table; the copied CSV has every point. */
const TABLE_ROWS = 25;

export function largeView(
  layer: LayerMessage,
  sigma: SigmaInfo | undefined,
  words: WordsMessage | undefined,
  act: LargeActions,
) {
  return html`<section class="large" aria-label=${t('Layer {0}', layer.path)}>
    <header>
      <h2 tabindex="-1">${layer.path}</h2>
      <vscode-button appearance="secondary" @click=${() => act.move(-1)}>${t('Previous')}</vscode-button>
      <vscode-button appearance="secondary" @click=${() => act.move(1)}>${t('Next')}</vscode-button>
      <vscode-button appearance="secondary" class="close" @click=${act.close}>${t('Close')}</vscode-button>
    </header>
    ${layer.rank > 1 ? choosers(layer, act) : nothing}
    <p class="note">${drawn(layer)}</p>
    ${layer.curves ? legend(layer, sigma) : nothing}
    <aurora-sigma-chart
      .layer=${layer}
      .sigma=${sigma}
      .bin=${words?.path === layer.path && words.coordinate === layer.input ? words.bin : undefined}
      @bin=${(e: CustomEvent<number>) => act.bin(e.detail)}
    ></aurora-sigma-chart>
    <p class="summary" aria-live="polite">${summary(layer)}</p>
    <div class="beside">
      ${wordsPanel(words, act.openRow)}
      <section>
        ${
          layer.H.length
            ? html`<h3>${t('H, which mixes the coordinates')}</h3>
                ${heatMap(t('H: row i is output i, column j weighs act(z[j])'), layer.H, layer.rank, names(layer.rank))}
                <p class="note">
                  ${t('Row i is output i; column j weighs act(z[j]). Orange is above zero, blue below.')}
                </p>`
            : nothing
        }
        ${
          layer.W.length
            ? html`<details ?open=${layer.rank <= WIDE_RANK}>
                <summary>${t('W, the weights of the spline')}</summary>
                ${heatMap(t('W: row i is output i, columns are the centers of the bases'), layer.W, layer.rank, layer.basisCenters.map(number))}
                <p class="note">${t('Row i is output i; columns are the centers of the B-spline bases.')}</p>
              </details>`
            : nothing
        }
      </section>
    </div>
    ${data(layer, act)}
  </section>`;
}

const names = (n: number): string[] => Array.from({ length: n }, (_, j) => String(j));

function choosers(layer: LayerMessage, act: LargeActions) {
  const select = (label: string, value: number, change: (v: number) => void) =>
    html`<label
      >${label}
      <select @change=${(e: Event) => change(Number((e.target as HTMLSelectElement).value))}>
        ${names(layer.rank).map((n) => html`<option value=${n} ?selected=${Number(n) === value}>${n}</option>`)}
      </select></label
    >`;
  return html`<div class="choosers">
    ${layer.curves ? select(t('Output coordinate'), layer.output, (v) => act.choose(v, layer.input)) : nothing}
    ${select(t('Input coordinate of z'), layer.input, (v) => act.choose(layer.curves ? layer.output : v, v))}
  </div>`;
}

/** What exactly is shown, and why. */
function drawn({ curves, rank, output, input, medians }: LayerMessage): string {
  if (!curves)
    return t('The bars are the histogram of z[{0}] over the real tokens of the validation examples.', input);
  if (rank === 1)
    return t(
      'The curve is σ(z) over z; the bars are the histogram of z over the real tokens of the validation examples.',
    );
  const others = medians
    .flatMap((m, j) => (j === input ? [] : [`z[${j}] = ${number(m)}`]))
    .slice(0, 6)
    .join(', ');
  return t(
    'The curve is output {0} of σ as z[{1}] varies, with the other coordinates at their medians ({2}). σ mixes its coordinates: H weighs all of them, and the spline sums over them. A curve is therefore valid along one line through the middle of the data. The bars are the histogram of z[{1}] over the real tokens of the validation examples.',
    output,
    input,
    others + (rank > 7 ? ', …' : ''),
  );
}

function legend(layer: LayerMessage, sigma: SigmaInfo | undefined) {
  const both = sigma?.fixed && sigma.learnable;
  const entry = (name: string, text: string) =>
    html`<li>
      <svg width="34" height="10" aria-hidden="true"><path class="curve ${name}" d="M1 5H33" /></svg>${text}
    </li>`;
  const fixed =
    sigma?.activation === 'tanh' ? 'tanh(H tanh(z))' : t('act(H act(z)), act = {0}', sigma?.activation ?? '');
  return html`<ul class="legend" aria-label=${t('Legend')}>
    ${entry('sum', both ? t('sum σ(z)') : sigma?.fixed ? t('σ(z) = {0}', fixed) : t('σ(z), only the spline'))}
    ${both ? [entry('fixed', t('fixed {0}', fixed)), entry('spline', t('spline W Σ b(z)'))] : nothing}
    ${entry('first', t('sum at step {0}', layer.firstStep))}
    <li>
      <svg width="14" height="12" aria-hidden="true"><rect class="bar" width="14" height="12" /></svg
      >${t('share of tokens (right axis)')}
    </li>
    ${
      sigma?.support
        ? html`<li>
            <svg width="14" height="12" aria-hidden="true"><rect class="beyond" width="14" height="12" /></svg
            >${t('outside the support: the spline is flat')}
          </li>`
        : nothing
    }
  </ul>`;
}

function summary({ path, step, firstStep, output, input, shape, quantiles, extremes }: LayerMessage): string {
  const middle = t(
    'Half of z[{0}] lies between {1} and {2}, 98% between {3} and {4}.',
    input,
    number(quantiles[1]),
    number(quantiles[3]),
    number(quantiles[0]),
    number(quantiles[4]),
  );
  const all = extremes
    ? ` ${t('The extremes are {0} and {1}.', number(extremes[0]), number(extremes[1]))}`
    : '';
  if (!shape) return `${t('{0} at step {1}.', path, step)} ${middle}${all}`;
  const parts = [
    t('{0} at step {1}: output {2} over z[{3}].', path, step, output, input),
    t('A straight line fits the curve over the data with R² {0}.', r2Text(shape.linearity)),
    shape.outside === undefined
      ? ''
      : t("{0} of z[{1}] lies outside the spline's support.", shareText(shape.outside), input),
    t('For {0} of the data, the curve is flat or its activation is saturated.', shareText(shape.saturation)),
    step === firstStep
      ? t('This is the first snapshot.')
      : t(
          'Since step {0}, the curve has changed by {1} (weighted RMS), {2} of its spread.',
          firstStep,
          number(shape.change),
          shareText(shape.relativeChange),
        ),
    middle + all,
  ];
  return parts.filter(Boolean).join(' ');
}

function curveRows({ curves }: LayerMessage, every: number): number[][] {
  if (!curves) return [];
  const { z, fixed, spline, sum, first } = curves;
  return Array.from(z.keys())
    .filter((i) => i % every === 0)
    .map((i) => [z[i], fixed[i], spline[i], sum[i], first[i]]);
}

function binRows({ counts, range }: LayerMessage): number[][] {
  const bins = counts.length - 2;
  const edge = (i: number) =>
    i === 0 ? -Infinity : i === bins + 2 ? Infinity : range[0] + ((i - 1) * (range[1] - range[0])) / bins;
  return Array.from(counts, (n, b) => [edge(b), edge(b + 1), n]);
}

function data(layer: LayerMessage, act: LargeActions) {
  const rows = curveRows(layer, Math.max(1, Math.floor((layer.curves?.z.length ?? 1) / (TABLE_ROWS - 1))));
  const head = ['z', 'fixed', 'spline', 'sum', `sum at step ${layer.firstStep}`];
  const histogram = () => act.copy(csv([['from', 'to', 'tokens'], ...binRows(layer)]));
  return html`<div class="copy">
      ${
        layer.curves
          ? html`<vscode-button
              appearance="secondary"
              @click=${() => act.copy(csv([head, ...curveRows(layer, 1)]))}
              >${t('Copy Curves as CSV')}</vscode-button
            >`
          : nothing
      }
      <vscode-button appearance="secondary" @click=${histogram}>${t('Copy Histogram as CSV')}</vscode-button>
    </div>
    <details>
      <summary>${t('Values as a table')}</summary>
      <div class="scroll" tabindex="0" role="group" aria-label=${t('Values as a table')}>
        <table>
          ${
            layer.curves
              ? html`<tr>
                    ${head.map((h) => html`<th scope="col">${h}</th>`)}
                  </tr>
                  ${rows.map(
                    (r) =>
                      html`<tr>
                        ${r.map((v) => html`<td>${number(v)}</td>`)}
                      </tr>`,
                  )}`
              : html`<tr>
                    <th scope="col">${t('from')}</th>
                    <th scope="col">${t('to')}</th>
                    <th scope="col">${t('tokens')}</th>
                  </tr>
                  ${binRows(layer).map(
                    (r) =>
                      html`<tr>
                        ${r.map((v) => html`<td>${number(v)}</td>`)}
                      </tr>`,
                  )}`
          }
        </table>
      </div>
    </details>`;
}
