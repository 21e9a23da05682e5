import { html, nothing, type TemplateResult } from 'lit';
import { t } from '../../src/base/l10n';
import { cautiousPercent } from '../../src/base/number-text';
import { LIKELIEST, type PlayToken } from '../../src/protocol/answers/tokens';
import {
  measured,
  measuredText,
  nameOf,
  otherOf,
  sentence,
  type AnswerKind,
  type CardContext,
  type Column,
} from './answer-kind';
import { shareTable } from './share-table';

/** Tokens in the places of masks. */
export const maskAnswer: AnswerKind = {
  asked: 'typing',
  card,
  below: ([{ title }]) => ({
    compared: t(
      '▲ and ▼: difference from {0} in percentage points; –: not among its top {1}. Times include only the model.',
      title,
      LIKELIEST,
    ),
  }),
  text({ answer }) {
    const { prediction } = answer ?? {};
    if (!prediction?.masks) return undefined;
    const { masks } = prediction;
    const lines = masks.flatMap((tokens, i) => [
      ...(masks.length > 1 ? [t('Mask {0}', i + 1)] : []),
      ...tokens.map(({ token, probability }) => `${cautiousPercent(probability)}\t${token}`),
    ]);
    return measuredText(lines, prediction);
  },
  spoken(column) {
    const masks = column.answer?.prediction?.masks;
    return masks && sentence(column, best(masks).join(', '));
  },
  truth: ({ label }, place) =>
    label === '' ? t('{0}.', place) : t('{0}. The hidden word: {1}', place, label),
};

/** The likeliest token for each mask of the text, and those that follow it. */
function card(column: Column, context: CardContext): TemplateResult | undefined {
  const { prediction } = column.answer ?? {};
  if (!prediction?.masks) return undefined;
  const { masks } = prediction;
  const { truth } = context;
  const first = otherOf(column, context);
  const before = first?.answer?.prediction?.masks;
  return html`<div class="verdict">
      <p>
        <strong>${best(masks).join(' · ')}</strong>
        ${masks.length === 1 ? cautiousPercent(masks[0][0].probability) : nothing}
      </p>
      ${truth?.label && masks.length === 1 ? html`<p class="judged">${judged(masks[0], truth.label)}</p>` : nothing}
      ${
        before && best(before).join() !== best(masks).join()
          ? html`<span class="other">${t('≠ {0} of {1}', best(before).join(' · '), first!.title)}</span>`
          : nothing
      }
    </div>
    <div>
      ${masks.map((tokens, i) => {
        const others = new Map(before?.[i]?.map((o) => [o.token, o.probability]));
        const name =
          masks.length === 1
            ? t('Probabilities of {0}', nameOf(column))
            : t('Mask {0}: probabilities of {1}', i + 1, nameOf(column));
        return html`${masks.length === 1 ? nothing : html`<p class="note" aria-hidden="true">${t('Mask {0}', i + 1)}</p>`}
        ${shareTable(
          tokens.map(({ token, probability }) => ({
            name: token,
            share: probability,
            before: others.get(token),
          })),
          { name, item: t('Token'), ...(first && { first: first.title }), several: context.several },
        )}`;
      })}
    </div>
    ${measured(prediction)}`;
}

/** The likeliest token for each mask. */
const best = (masks: readonly PlayToken[][]): string[] => masks.map(([{ token }]) => token);

function judged(tokens: readonly PlayToken[], hidden: string): string {
  // Uncased models know no capitals.
  const at = tokens.findIndex(({ token }) => token.toLowerCase() === hidden.toLowerCase());
  if (at === 0) return t('✓ That is the hidden word.');
  if (at < 0) return t('✗ The hidden word is {0}, which is not among them.', hidden);
  return t('✗ The hidden word is {0}: {1}.', hidden, cautiousPercent(tokens[at].probability));
}
