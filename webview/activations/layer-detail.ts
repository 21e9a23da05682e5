import { html, nothing, svg } from 'lit';
import type { ShownImage } from '../../src/protocol/activation-examples';
import type { Word, WordsMessage, LayerMessage, SigmaInfo } from '../../src/protocol/panels/activations';
import { namedRow } from '../../src/protocol/row-place';
import type { LayerFacts } from '../../src/protocol/reports/nonlinearity-report';
import { t } from '../../src/base/l10n';
import { number, csv, shareText } from './activation-numbers';
import { r2Text } from '../../src/base/number-text';
import { layerEffect } from './sigma-effect';

/** The words in the chosen bin, which this layer's σ bends, with their context. */
function wordsPanel(words: WordsMessage | undefined, open: (example: number) => void) {
  const images = words?.words.some((w) => w.image);
  return html`<section class="words" aria-live="polite" data-bin=${words?.bin ?? nothing}>
    <h3>${images ? t('Patches in this bin') : t('Words in this bin')}</h3>
    ${
      words
        ? html`<p>${where(words)} ${landed(words)}</p>
            ${words.notice ? html`<p class="note">${words.notice}</p>` : nothing}
            <ul>
              ${words.words.map((w) => wordRow(w, open))}
            </ul>`
        : html`<p class="note">
            ${t('Click a bin in the chart, or press Enter on it, to see what is in it.')}
          </p>`
    }
  </section>`;
}

function where({ from, to, coordinate }: WordsMessage): string {
  if (!Number.isFinite(from)) return t('z[{0}] below {1}:', coordinate, number(to));
  if (!Number.isFinite(to)) return t('z[{0}] above {1}:', coordinate, number(from));
  return t('z[{0}] from {1} to {2}:', coordinate, number(from), number(to));
}

function landed({ count, words, examples }: WordsMessage): string {
  if (count === 0) return t('no tokens in this bin.');
  if (words.length === 0) return t('{0} tokens in this bin.', count);
  return count > words.length
    ? t(
        '{0} tokens from {1} validation examples are in this bin; {2} of them are shown.',
        count,
        examples,
        words.length,
      )
    : t('{0} tokens from {1} validation examples are in this bin.', count, examples);
}

function textPart(w: Word) {
  if (w.token) return html`${w.before}<mark>${w.token}</mark>${w.after}`;
  return w.position === undefined
    ? t('Token with id {0}.', w.id)
    : t('Token {0} of the prompt, counted from its start token, 0.', w.position);
}

/** The image with the token's patch framed. */
function imagePart({ patch }: Word, { name, width, height, picture }: ShownImage) {
  const words = patch
    ? t('A patch of {0}', name)
    : t('{0}, not a patch: the token stands for the whole image', name);
  if (picture === undefined) return words;
  const box = (frame: string) =>
    svg`<rect class=${frame} x=${patch!.left * width} y=${patch!.top * height} width=${patch!.width * width}
      height=${patch!.height * height} />`;
  return html`<svg class="image" viewBox="0 0 ${width} ${height}" role="img" aria-label=${words}>
      <image href=${picture} width=${width} height=${height} />
      ${patch ? [box('around'), box('frame')] : nothing}
    </svg>
    <span class="name">${words}</span>`;
}

function wordRow(w: Word, open: (example: number) => void) {
  return html`<li>
    <blockquote>${w.image ? imagePart(w, w.image) : textPart(w)}</blockquote>
    <p class="source">
      ${w.label === undefined || w.label === '' ? nothing : html`<span class="label">${w.label}</span>`}
      <button class="link" @click=${() => open(w.example)}>${namedRow(w.file, w.line)}</button>
    </p>
  </li>`;
}

const CELL = { width: 58, height: 30 };
const LEFT = 34;
const TOP = 22;

/**
 * A small matrix with its numbers: orange above zero, blue below, stronger with magnitude. Each number also has its
 * sign, and the colors are faint enough to read over.
 *
 * @param values row-major, rows × columns
 * @param columns column headers
 */
function heatMap(label: string, values: Float32Array, rows: number, columns: readonly string[]) {
  const n = columns.length;
  const most = Math.max(1e-9, ...values.map(Math.abs));
  const [width, height] = [LEFT + n * CELL.width + 2, TOP + rows * CELL.height + 2];
  return html`<div class="scroll" tabindex="0" role="group" aria-label=${label}>
    <svg
      class="heat"
      width=${width}
      height=${height}
      role="img"
      aria-label=${describe(label, values, rows, n)}
    >
      ${columns.map(
        (name, j) => svg`<text x=${LEFT + (j + 0.5) * CELL.width} y="14" text-anchor="middle">${name}</text>`,
      )}
      ${Array.from(values, (v, k) => {
        const [i, j] = [Math.floor(k / n), k % n];
        const [x, y] = [LEFT + j * CELL.width, TOP + i * CELL.height];
        return svg`<rect class=${v < 0 ? 'cell negative' : 'cell positive'} fill-opacity=${(0.5 * Math.abs(v)) / most} x=${x} y=${y} width=${CELL.width - 2} height=${CELL.height - 2} />
          ${j === 0 ? svg`<text x=${LEFT - 8} y=${y + 18} text-anchor="end">${i}</text>` : ''}
          <text x=${x + CELL.width / 2 - 1} y=${y + 18} text-anchor="middle">${number(v)}</text>`;
      })}
    </svg>
  </div>`;
}

function describe(label: string, values: Float32Array, rows: number, n: number): string {
  const lines = Array.from({ length: rows }, (_, i) =>
    Array.from(values.subarray(i * n, (i + 1) * n), number).join(', '),
  );
  return `${label}: ${lines.join('; ')}`;
}

interface LargeActions {
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
  effect: LayerFacts | undefined,
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
    <p class="note">${drawn(layer, sigma)}</p>
    ${layer.curves ? legend(layer, sigma) : nothing}
    <aurora-sigma-chart
      .layer=${layer}
      .sigma=${sigma}
      .bin=${words?.path === layer.path && words.coordinate === layer.input ? words.bin : undefined}
      @bin=${(e: CustomEvent<number>) => act.bin(e.detail)}
    ></aurora-sigma-chart>
    <p class="summary" aria-live="polite">${summary(layer)}</p>
    ${effect ? html`<p class="layer-effect">${layerEffect(effect)}</p>` : nothing}
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
                ${heatMap(t('W: {0}', rowsOfW(layer, sigma)), layer.W, layer.rank, layer.basisCenters.map(number))}
                <p class="note">${rowsOfW(layer, sigma)}</p>
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

const rowsOfW = ({ output }: LayerMessage, sigma: SigmaInfo | undefined): string =>
  sigma?.spline === 'per-pair'
    ? t('Row j is the spline from z[j] to output {0}; columns are the centers of the B-spline bases.', output)
    : sigma?.spline === 'per-dimension'
      ? t('Row i is the spline from z[i] to output i; columns are the centers of the B-spline bases.')
      : t('Row i is output i; columns are the centers of the B-spline bases.');

/** The coordinates that enter an output. */
function mixed(sigma: SigmaInfo | undefined): string {
  if (sigma?.learnable && sigma.spline === 'per-dimension')
    return sigma.fixed
      ? t('σ mixes its coordinates: H weighs all of them, while the spline of an output reads its own only.')
      : t('The spline of an output reads its own coordinate only.');
  return sigma?.learnable && sigma.spline === 'per-pair'
    ? t('σ mixes its coordinates: H weighs all of them, and each has a spline to each output.')
    : t('σ mixes its coordinates: H weighs all of them, and the spline sums over them.');
}

/** Explains the shown numbers. */
function drawn({ curves, rank, output, input, medians }: LayerMessage, sigma: SigmaInfo | undefined): string {
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
    'The curve is output {0} of σ as z[{1}] varies, with the other coordinates at their medians ({2}). {3} A curve is therefore valid along one line through the middle of the data. The bars are the histogram of z[{1}] over the real tokens of the validation examples.',
    output,
    input,
    others + (rank > 7 ? ', …' : ''),
    mixed(sigma),
  );
}

const SPLINES: Record<SigmaInfo['spline'], string> = {
  shared: 'W Σ b(z)',
  'per-dimension': 'W b(z)',
  'per-pair': 'Σ W b(z)',
};

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
    ${both ? [entry('fixed', t('fixed {0}', fixed)), entry('spline', t('spline {0}', SPLINES[sigma.spline]))] : nothing}
    ${entry('first', t('sum at step {0}', layer.firstStep))}
    ${layer.curves?.fitted ? entry('fitted', t('linear fit M z + c')) : nothing}
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
  const { z, fixed, spline, sum, first, fitted } = curves;
  return Array.from(z.keys())
    .filter((i) => i % every === 0)
    .map((i) => [z[i], fixed[i], spline[i], sum[i], first[i], ...(fitted ? [fitted[i]] : [])]);
}

function binRows({ counts, range }: LayerMessage): number[][] {
  const bins = counts.length - 2;
  const edge = (i: number) =>
    i === 0 ? -Infinity : i === bins + 2 ? Infinity : range[0] + ((i - 1) * (range[1] - range[0])) / bins;
  return Array.from(counts, (n, b) => [edge(b), edge(b + 1), n]);
}

function data(layer: LayerMessage, act: LargeActions) {
  const rows = curveRows(layer, Math.max(1, Math.floor((layer.curves?.z.length ?? 1) / (TABLE_ROWS - 1))));
  const head = [
    'z',
    'fixed',
    'spline',
    'sum',
    `sum at step ${layer.firstStep}`,
    ...(layer.curves?.fitted ? ['linear fit'] : []),
  ];
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
