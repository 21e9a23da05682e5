import { html, nothing } from 'lit';
import type { PlaySample } from '../../src/protocol/playground';
import { legend } from '../spans/marked-text';
import { t } from '../../src/base/l10n';
import type { Column } from './columns';
import { labelSetOf } from './label-sets/label-set';
import { FEW_LABELS } from './labels/answer';
import { sharesOf } from './labels/shares';
import { FEW_SPANS } from './spans/answer';
import { LIKELIEST } from '../../src/protocol/playground';
import { spansOf, truthOf } from './spans/spans';

interface BelowState {
  /** The last validation text. */
  sample: PlaySample | undefined;
  /** The same, if it is in the box, unchanged. */
  truth: PlaySample | undefined;
  /** Whether all labels and spans are shown. */
  all: boolean;
  copied: string;
}

interface BelowActions {
  showAll(all: boolean): void;
  copy(): void;
}

/** How to read the cards, and what can be done with all of them. */
export function below(columns: readonly Column[], state: BelowState, act: BelowActions): unknown {
  const answers = columns.filter((c) => c.answer);
  if (answers.length === 0) return nothing;
  if (answers.some((c) => c.subject.facts?.answer === 'picture'))
    return html`${
        answers.length > 1
          ? html`<p class="note">${t('All pictures start from the same noise.')}</p>`
          : nothing
      }
      <p class="note" role="status">${state.copied}</p>`;
  const more = words(answers);
  return html`${marks(answers, state)}${answers.length > 1 && more.compared ? html`<p class="note">${more.compared}</p>` : nothing}
    <div class="buttons">
      ${
        more.all
          ? html`<vscode-button
              appearance="secondary"
              data-action="all"
              aria-pressed=${state.all ? 'true' : 'false'}
              @click=${() => act.showAll(!state.all)}
              >${state.all ? more.few : more.all}</vscode-button
            >`
          : nothing
      }
      <vscode-button appearance="secondary" data-action="copy" @click=${act.copy}
        >${t('Copy as Text')}</vscode-button
      >
      <span class="note" role="status">${state.copied}</span>
    </div>`;
}

/** What the marks of a judged answer mean. */
function marks(answers: readonly Column[], { sample, truth }: BelowState): unknown {
  if (answers.map(spansOf).some((a) => a && truthOf(a.asked, sample))) return legend();
  return truth?.labels && answers.some(labelSetOf) ? legend(false) : nothing;
}

/** What the signs of a comparison mean, and the button for the rest of an answer, if there is one. */
function words(answers: readonly Column[]): { compared?: string; all?: string; few?: string } {
  const [{ title }] = answers;
  const labels = Math.max(...answers.map((c) => sharesOf(c)?.probabilities.length ?? 0));
  const ofChoices = answers.some((c) => sharesOf(c)?.choices);
  if (labels > 0)
    return {
      compared: t('▲ and ▼: difference from {0} in percentage points. Times include only the model.', title),
      ...(labels > FEW_LABELS && {
        all: ofChoices ? t('Show All {0} Choices', labels) : t('Show All {0} Labels', labels),
        few: t('Show the Top {0}', FEW_LABELS),
      }),
    };
  if (answers.some((c) => c.answer!.prediction?.number !== undefined))
    return { compared: t('Times include only the model.') };
  if (answers.some((c) => c.answer!.prediction?.masks))
    return {
      compared: t(
        '▲ and ▼: difference from {0} in percentage points; –: not among its top {1}. Times include only the model.',
        title,
        LIKELIEST,
      ),
    };
  if (!answers.some(spansOf)) return {};
  const spans = Math.max(...answers.map((c) => spansOf(c)?.spans.length ?? 0));
  return {
    compared: t('≠: a span that {0} does not have. Times include only the model.', title),
    ...(spans > FEW_SPANS && {
      all: t('Show All {0} Spans', spans),
      few: t('Show the First {0}', FEW_SPANS),
    }),
  };
}
