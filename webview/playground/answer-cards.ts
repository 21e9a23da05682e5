import { html, nothing, type TemplateResult } from 'lit';
import { t } from '../../src/base/l10n';
import type { PlaygroundView, Trouble } from '../../src/protocol/panels/playground-view';
import {
  columnsOf,
  nameOf,
  type AnswerKind,
  type Below,
  type BelowContext,
  type CardContext,
  type Column,
} from './answer-kind';
import { KINDS } from './answer-kinds';

/** A column's kind of answer; undefined until its model is loaded. */
const kindOf = ({ subject }: Column): AnswerKind | undefined => subject.facts && KINDS[subject.facts.answer];

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
  const { problem, trouble } = column.subject;
  const kind = kindOf(column);
  if (problem) return troubled(problem, true);
  if (!kind) return html`<p class="note" role="status">${t('Loading the model…')}</p>`;
  if (trouble) return troubled(trouble, false);
  return (
    kind.card(column, context) ??
    html`<p class="note">${context.busy ? t('Computing…') : t('No answer yet.')}</p>`
  );
}

const troubled = ({ message, hint }: Trouble, alert: boolean): TemplateResult =>
  html`<div class="message" role=${alert ? 'alert' : 'note'}>
    <p>${message}</p>
    ${hint ? html`<p>${hint}</p>` : nothing}
  </div>`;

interface BelowState extends BelowContext {
  /** True if all labels and spans are shown. */
  all: boolean;
  copied: string;
}

interface BelowActions {
  showAll(all: boolean): void;
  copy(): void;
}

/** Explains the cards; has the buttons for all of them. */
export function below(columns: readonly Column[], state: BelowState, act: BelowActions): unknown {
  const answers = columns.filter((c) => c.answer);
  if (answers.length === 0) return nothing;
  const kinds = Object.values(KINDS).filter((kind) => answers.some((c) => kindOf(c) === kind));
  const parts = kinds.flatMap((kind) => kind.below?.(answers, state) ?? []);
  /** The value of the first kind that has it. */
  const first = <K extends keyof Below>(key: K): Below[K] => parts.find((part) => part[key])?.[key];
  const [compared, all, few] = [first('compared'), first('all'), first('few')];
  return html`${first('marks')}${answers.length > 1 && compared ? html`<p class="note">${compared}</p>` : nothing}
    <div class="buttons">
      ${
        all
          ? html`<vscode-button
              appearance="secondary"
              data-action="all"
              aria-pressed=${state.all ? 'true' : 'false'}
              @click=${() => act.showAll(!state.all)}
              >${state.all ? few : all}</vscode-button
            >`
          : nothing
      }
      ${
        kinds.some((kind) => kind.text)
          ? html`<vscode-button appearance="secondary" data-action="copy" @click=${act.copy}
              >${t('Copy as Text')}</vscode-button
            >`
          : nothing
      }
      <span class="note" role="status">${state.copied}</span>
    </div>`;
}

/**
 * The question and the answers as text for an email or an issue.
 *
 * @param all every label and span, or as many as are shown at first
 */
export function answersText(view: PlaygroundView, question: string, all: boolean): string {
  const answers = columnsOf(view).flatMap((c) => {
    const text = kindOf(c)?.text?.(c, all);
    return text === undefined ? [] : [`${nameOf(c)}\n${text}`];
  });
  return [question, ...answers].filter(Boolean).join('\n\n');
}

/** The screen reader announcement for an answer, once it is complete. */
export function speech({ busy, request }: PlaygroundView, columns: readonly Column[]): string {
  if (busy) return '';
  return columns
    .filter((c) => c.answer?.request === request)
    .flatMap((c) => kindOf(c)?.spoken(c) ?? [])
    .join(' ');
}
