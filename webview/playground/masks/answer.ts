import { html, nothing, type TemplateResult } from 'lit';
import { cautiousPercent } from '../../../src/base/percent';
import { t } from '../../../src/base/l10n';
import type { CardContext } from '../answer-card';
import type { Masks } from '../answers';
import { nameOf, type Column } from '../columns';
import { measured } from '../format';
import { shareTable } from '../labels/table';

/** The likeliest token for each mask of the text, and those that follow it. */
export function maskAnswer(column: Column, prediction: Masks, context: CardContext): TemplateResult {
  const { masks } = prediction;
  const { truth } = context;
  const first = column.key === context.first.key ? undefined : context.first;
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
    <p class="note numbers">${measured(prediction)}</p>`;
}

/** The likeliest token for each mask. */
export const best = (masks: Masks['masks']): string[] => masks.map(([{ token }]) => token);

function judged(tokens: Masks['masks'][number], hidden: string): string {
  // Uncased models know no capitals.
  const at = tokens.findIndex(({ token }) => token.toLowerCase() === hidden.toLowerCase());
  if (at === 0) return t('✓ That is the hidden word.');
  if (at < 0) return t('✗ The hidden word is {0}, which is not among them.', hidden);
  return t('✗ The hidden word is {0}: {1}.', hidden, cautiousPercent(tokens[at].probability));
}
