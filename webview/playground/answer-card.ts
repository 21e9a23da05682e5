import { html, nothing, type TemplateResult } from 'lit';
import type { Trouble } from '../../src/protocol/panels/playground-view';
import type { PlaySample, Prediction } from '../../src/protocol/playground';
import { t } from '../../src/base/l10n';
import { nameOf, type Column } from './columns';
import { labelSetAnswer } from './label-sets/answer';
import { labelAnswer } from './labels/answer';
import { maskAnswer } from './masks/answer';
import { numberAnswer } from './numbers/answer';
import { pictureAnswer } from './pictures/answer';
import { spanAnswer } from './spans/answer';
import { writtenText } from './written';

export interface CardContext {
  /** The first column, with which the others are compared. */
  first: Column;
  /** The newest question's number. */
  request: number;
  busy: boolean;
  all: boolean;
  /** Whether there is something to compare with the first. */
  several: boolean;
  /** The last validation text. */
  sample?: PlaySample;
  /** The same, if that text is in the box, unchanged. */
  truth?: PlaySample;
  prompt: string;
  /** Whether the prompt was asked without the template of training. */
  asTyped: boolean;
  remove(subject: string): void;
  /** Asks where to save a column's picture. */
  save(column: Column): void;
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
  if (!facts) return html`<p class="note" role="status">${t('Loading the model…')}</p>`;
  if (trouble) return troubled(trouble, false);
  if (facts.answer === 'text') return writtenText(column, context);
  if (facts.answer === 'picture') return pictureAnswer(column, context);
  const { prediction } = column.answer ?? {};
  if (prediction) return predicted(column, prediction, context);
  return html`<p class="note">${context.busy ? t('Computing…') : t('No answer yet.')}</p>`;
}

const troubled = ({ message, hint }: Trouble, alert: boolean): TemplateResult =>
  html`<div class="message" role=${alert ? 'alert' : 'note'}>
    <p>${message}</p>
    ${hint ? html`<p>${hint}</p>` : nothing}
  </div>`;

function predicted(column: Column, prediction: Prediction, context: CardContext): TemplateResult {
  if (prediction.spans) return spanAnswer(column, prediction, context);
  if (prediction.number !== undefined) return numberAnswer(column, prediction, context);
  if (prediction.masks) return maskAnswer(column, prediction, context);
  return column.subject.facts!.answer === 'labels'
    ? labelSetAnswer(column, prediction, context)
    : labelAnswer(column, prediction, context);
}
