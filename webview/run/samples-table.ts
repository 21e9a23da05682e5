import { html, nothing, type TemplateResult } from 'lit';
import { ref } from 'lit/directives/ref.js';
import { numberText, percent } from '../../src/base/number-text';
import {
  hasTurnedWrong,
  type RunSamples,
  type SampleEvaluation,
  type SamplePrediction,
  type SampleRow,
} from '../../src/protocol/run-files/samples';
import type { SampleAnswer } from '../../src/protocol/answers/answer-kind';
import { t } from '../../src/base/l10n';
import { formatCount, formatLoss } from './run-numbers';
import type { RunData } from './run-data';

/** Columns; of more evaluations, evenly spread ones are shown. */
const MOST_COLUMNS = 30;

/** The answers to a few fixed validation rows at each evaluation, the newest at the right. */
export function samplesTable(
  runs: readonly RunData[],
  chosen: number,
  choose: (run: number) => void,
): TemplateResult | typeof nothing {
  const known = runs.filter((r) => (r.samples?.evaluations.length ?? 0) > 0);
  if (known.length === 0) return nothing;
  const run = known[Math.min(chosen, known.length - 1)];
  const samples = run.samples!;
  const shown = spread(samples.evaluations);
  return html`<section aria-labelledby="samples-heading" data-section="samples">
    <h2 id="samples-heading">${t('Samples')}</h2>
    <p class="quiet">
      ${t('Predictions for the same {0} validation rows at each evaluation.', samples.rows.length)}
      ${shown.length < samples.evaluations.length ? t('Showing {0} of {1} evaluations.', shown.length, samples.evaluations.length) : nothing}
    </p>
    <p>${summaryWords(samples)}</p>
    ${
      known.length > 1
        ? html`<vscode-dropdown
            aria-label=${t('Run to show samples of')}
            .value=${String(known.indexOf(run))}
            @change=${(e: Event) => choose(Number((e.target as HTMLInputElement).value))}
          >
            ${known.map((r, i) => html`<vscode-option value=${String(i)}>${r.facts?.name ?? r.folder}</vscode-option>`)}
          </vscode-dropdown>`
        : nothing
    }
    <div class="scroll" tabindex="0" role="region" aria-labelledby="samples-heading" ${ref(toTheEnd)}>
      <table data-table="samples" class="samples">
        <thead>
          <tr>
            <th scope="col">${t('Row')}</th>
            ${hasTruths(samples) ? html`<th scope="col">${t('True answer')}</th>` : nothing}
            ${shown.map(({ step }) => html`<th scope="col">${t('Step {0}', formatCount(step))}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${samples.rows.map((row, i) => sampleRow(samples, row, shown, i))}
        </tbody>
      </table>
    </div>
  </section>`;
}

/** A text is its own answer, and the noise in a picture is in no words. */
const hasTruths = ({ answer }: RunSamples): boolean => answer !== 'text' && answer !== 'picture';

function sampleRow(samples: RunSamples, row: SampleRow, shown: readonly SampleEvaluation[], i: number) {
  const { evaluations } = samples;
  return html`<tr>
    <th scope="row" title=${t('Line {0}', formatCount(row.line))}>
      ${row.thumbnail ? html`<img src=${row.thumbnail} alt="" />` : nothing}
      <span class="excerpt">${row.text}</span>
      ${row.pair === undefined ? nothing : html`<span class="excerpt">${row.pair}</span>`}
    </th>
    ${hasTruths(samples) ? html`<td>${row.truth === undefined ? '–' : answerText(row.truth)}</td>` : nothing}
    ${shown.map((evaluation) => {
      // The one before it, even if it has no column.
      const before = evaluations[evaluations.indexOf(evaluation) - 1];
      return cell(evaluation.answers[i], before?.answers[i]);
    })}
  </tr>`;
}

function cell(now: SamplePrediction, before: SamplePrediction | undefined): TemplateResult {
  const turned = hasTurnedWrong(before, now);
  const looks = turned ? 'turned' : now.right === undefined ? '' : now.right ? 'right' : 'wrong';
  return html`<td class=${looks} title=${t('Loss {0}', formatLoss(now.loss))}>
    ${now.right === undefined ? nothing : sign(now.right)} ${predictionText(now)}
    ${turned ? html`<small>${t('previously right')}</small>` : nothing}
  </td>`;
}

const sign = (right: boolean): TemplateResult =>
  html`<span class="sign" aria-hidden="true">${right ? '✓' : '✗'}</span
    ><span class="visually-hidden">${right ? t('right:') : t('wrong:')}</span>`;

const answerText = (answer: SampleAnswer): string => {
  if (typeof answer === 'number') return numberText(answer);
  return answer === '' ? t('nothing') : answer;
};

function predictionText({ said, probability, tokens, loss }: SamplePrediction): string {
  if (tokens) return t('{0} of {1} tokens · loss {2}', ...tokens, formatLoss(loss));
  if (said === undefined) return t('loss {0}', formatLoss(loss));
  const text = answerText(said);
  return probability === undefined ? text : `${text} · ${percent(probability, 0)}`;
}

/** The number of rows that the newest evaluation gets right, and of those that were right before. */
function summaryWords({ rows, evaluations }: RunSamples): unknown {
  const [before, now] = [evaluations.at(-2), evaluations.at(-1)!];
  if (now.answers.every((a) => a.right === undefined)) return nothing;
  const right = now.answers.filter((a) => a.right).length;
  const turned = now.answers.filter((a, i) => hasTurnedWrong(before?.answers[i], a)).length;
  const words = t('{0} of {1} are right at step {2}.', right, rows.length, formatCount(now.step));
  if (turned === 0) return words;
  return html`${words}
    <strong
      >${turned === 1 ? t('1 went from right to wrong.') : t('{0} went from right to wrong.', turned)}</strong
    >`;
}

/** Always with the first and the last one. */
function spread(all: readonly SampleEvaluation[]): SampleEvaluation[] {
  if (all.length <= MOST_COLUMNS) return [...all];
  return Array.from(
    { length: MOST_COLUMNS },
    (_, i) => all[Math.round((i * (all.length - 1)) / (MOST_COLUMNS - 1))],
  );
}

const scrolled = new WeakSet<Element>();

/** The newest column is in view at first; after that, the user decides. */
function toTheEnd(element: Element | undefined): void {
  if (!element || scrolled.has(element)) return;
  scrolled.add(element);
  requestAnimationFrame(() => (element.scrollLeft = element.scrollWidth));
}
