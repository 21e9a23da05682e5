import { html, nothing, type TemplateResult } from 'lit';
import { inTemplate } from '../../src/experiment/prompt-template';
import type { Generated } from '../../src/protocol/playground';
import { t } from '../../src/base/l10n';
import type { CardContext } from './answer-card';
import type { Column } from './columns';
import { shortNumber } from '../../src/base/number-text';
import { stepTime } from '../../src/base/time-text';
import { tokens } from './format';

/** A language model's text so far, after the prompt. */
export function writtenText(
  { answer, subject }: Column,
  { busy, request, ...asked }: CardContext,
): TemplateResult {
  if (!answer)
    return html`<p class="note">
      ${busy ? t('Waiting for its turn…') : request > 0 ? t('Not run.') : t('No text yet.')}
    </p>`;
  const { text = '', generated } = answer;
  const { template } = subject.facts!;
  const prompt = template === undefined || asked.asTyped ? asked.prompt : inTemplate(template, asked.prompt);
  return html`<div class="written">
      <span class="prompt">${prompt}</span>${text ? html`<span class="made">${text}</span>` : nothing}
    </div>
    <p class="note numbers">${generated ? summary(generated) : t('Writing…')}</p>`;
}

export function ended({ ended }: Generated): string {
  switch (ended) {
    case 'end':
      return t('ended by the model');
    case 'length':
      return t('the maximum requested');
    case 'full':
      return t('the model’s maximum length');
    case 'stopped':
      return t('stopped');
  }
}

export function summary(g: Generated): string {
  const parts = [t('{0}, {1}', tokens(g.tokens), ended(g))];
  if (g.tokensPerSecond > 0)
    parts.push(
      t('{0} tokens/s', shortNumber(g.tokensPerSecond)),
      t('the first after {0}', stepTime(g.secondsToFirst)),
    );
  return parts.join(' · ');
}
