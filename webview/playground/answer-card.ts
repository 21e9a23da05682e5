import { html, nothing, svg, type TemplateResult } from 'lit';
import type { Trouble } from '../../src/protocol/panels/playground-view';
import type { Prediction } from '../../src/protocol/playground';
import { t } from '../ui/l10n';
import { cautiousPercent } from '../../src/base/percent';
import { chanceOf, nameOf, type Column } from './columns';
import { latency, ranked, tokens } from './format';
import { writtenText } from './written';

/** Labels shown by default. */
export const FEW_LABELS = 5;
/** Hundredths of probability that do not count as a difference. */
const SAME = 0.05;

export interface CardContext {
  /** The first column, with which the others are compared. */
  first: Column;
  /** The newest question's number. */
  request: number;
  busy: boolean;
  all: boolean;
  /** Whether there is something to compare with the first. */
  several: boolean;
  /** The validation text's label. */
  truth?: string;
  prompt: string;
  remove(subject: string): void;
}

/** One subject's answer, in four parts that are aligned across all cards. */
export function answerCard(column: Column, context: CardContext): TemplateResult {
  const { subject, answer, title, about, key } = column;
  const stale = context.busy && answer?.request !== context.request;
  return html`<section
    class="card"
    data-column=${key}
    aria-label=${nameOf(column)}
    aria-busy=${stale ? 'true' : 'false'}
  >
    <header>
      <h2>${title}</h2>
      ${
        subject.run === undefined
          ? nothing
          : html`<vscode-button
              appearance="secondary"
              class="remove"
              aria-label=${t('Remove {0}', title)}
              @click=${() => context.remove(subject.id)}
              >${t('Remove')}</vscode-button
            >`
      }
      ${about ? html`<p class="note">${about}</p>` : nothing}
    </header>
    ${answered(column, context)}
  </section>`;
}

function answered(column: Column, context: CardContext): TemplateResult {
  const { facts, problem, trouble } = column.subject;
  if (problem) return troubled(problem, true);
  if (!facts) return html`<p class="note" role="status">${t('Loading the model …')}</p>`;
  if (trouble) return troubled(trouble, false);
  if (facts.answer === 'text') return writtenText(column, context);
  const { prediction } = column.answer ?? {};
  if (prediction) return predicted(column, prediction, context);
  return html`<p class="note">${context.busy ? t('Computing …') : t('No answer yet.')}</p>`;
}

const troubled = ({ message, hint }: Trouble, alert: boolean): TemplateResult =>
  html`<div class="message" role=${alert ? 'alert' : 'note'}>
    <p>${message}</p>
    ${hint ? html`<p>${hint}</p>` : nothing}
  </div>`;

function predicted(column: Column, prediction: Prediction, context: CardContext): TemplateResult {
  const labels = column.subject.facts!.labels;
  const order = ranked(prediction);
  const shown = context.all ? order : order.slice(0, FEW_LABELS);
  const first = column.key === context.first.key ? undefined : context.first;
  const best = labels[order[0]];
  return html`<div class="verdict">
      <p><strong>${best}</strong> ${cautiousPercent(prediction.probabilities[order[0]])}</p>
      ${context.truth === undefined ? nothing : rightOrWrong(best, context.truth, chanceOf(column, context.truth))}
      ${first ? disagreement(first, best) : nothing}
    </div>
    <table>
      <caption class="visually-hidden">
        ${t('Probabilities of {0}', nameOf(column))}
      </caption>
      <colgroup>
        <col class="label" />
        <col />
        <col class="share" />
        ${context.several ? html`<col class="difference" />` : nothing}
      </colgroup>
      <thead class="visually-hidden">
        <tr>
          <th scope="col">${t('Label')}</th>
          <td></td>
          <th scope="col">${t('Probability')}</th>
          ${first ? html`<th scope="col">${t('Points more or less than {0}', first.title)}</th>` : nothing}
        </tr>
      </thead>
      <tbody>
        ${shown.map((i) =>
          labelRow(
            labels[i],
            prediction.probabilities[i],
            first,
            context.several,
            labels[i] === context.truth,
          ),
        )}
      </tbody>
    </table>
    <p class="note numbers">${measured(prediction)}</p>`;
}

function labelRow(
  label: string,
  share: number,
  first: Column | undefined,
  several: boolean,
  isTruth: boolean,
): TemplateResult {
  return html`<tr>
    <th scope="row">
      ${isTruth ? html`<span aria-hidden="true">✓ </span>` : nothing}${label}${
        isTruth ? html`<span class="visually-hidden">${t(', its label')}</span>` : nothing
      }
    </th>
    <td class="bar">
      <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
        ${svg`<rect class="ground" width="100" height="10" /><rect class="share" width=${100 * share} height="10" />`}
      </svg>
    </td>
    <td class="number">${cautiousPercent(share)}</td>
    ${several ? html`<td class="number">${first ? difference(share, chanceOf(first, label)) : nothing}</td>` : nothing}
  </tr>`;
}

/** Whether the most likely label is the validation text's. */
function rightOrWrong(best: string, truth: string, chance: number | undefined): TemplateResult {
  if (best === truth) return html`<p class="judged">${t('✓ That is its label.')}</p>`;
  return html`<p class="judged">
    ${
      chance === undefined
        ? t('✗ Its label is {0}, which is none of these.', truth)
        : t('✗ Its label is {0}: {1}.', truth, cautiousPercent(chance))
    }
  </p>`;
}

/** In hundredths, with an arrow, so that colour is not needed to distinguish more from less. */
function difference(share: number, before: number | undefined): string {
  if (before === undefined) return '–';
  const points = 100 * (share - before);
  if (Math.abs(points) < SAME) return '=';
  return `${points > 0 ? '▲' : '▼'} ${Math.abs(points).toFixed(1)}`;
}

function disagreement(first: Column, best: string): unknown {
  const { prediction } = first.answer ?? {};
  if (!prediction) return nothing;
  const other = first.subject.facts!.labels[ranked(prediction)[0]];
  return other === best ? nothing : html`<span class="other">${t('≠ {0} of {1}', other, first.title)}</span>`;
}

function measured({ seconds, tokens: count, truncated }: Prediction): string {
  const parts = [latency(seconds)];
  if (count !== undefined)
    parts.push(truncated ? t('the text was cut to {0}', tokens(count)) : tokens(count));
  return parts.join(' · ');
}
