import { html, nothing, type TemplateResult } from 'lit';
import { t } from '../../src/base/l10n';
import { shortNumber, stepTime } from '../../src/base/number-text';
import { inTemplate } from '../../src/experiment/prompt-template';
import type { Generated } from '../../src/protocol/playground';
import { nameOf, tokens, type AnswerKind, type CardContext, type Column } from './answer-kind';

/** A text that continues the prompt. */
export const textAnswer: AnswerKind = {
  asked: 'generate',
  card,
  text({ answer }) {
    const { text, generated } = answer ?? {};
    if (text === undefined) return undefined;
    return [text.trimStart(), generated && `(${summary(generated)})`].filter(Boolean).join('\n');
  },
  spoken(column) {
    const { generated } = column.answer ?? {};
    return generated && t('{0} wrote {1}.', nameOf(column), tokens(generated.tokens));
  },
  truth: ({ label }, place) =>
    label === '' ? t('{0}.', place) : t('{0}. Its completion: {1}', place, label),
};

/** The text so far, after the prompt. */
function card({ answer, subject }: Column, { busy, request, ...asked }: CardContext): TemplateResult {
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

function ended({ ended }: Generated): string {
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

function summary(g: Generated): string {
  const parts = [t('{0}, {1}', tokens(g.tokens), ended(g))];
  if (g.tokensPerSecond > 0)
    parts.push(
      t('{0} tokens/s', shortNumber(g.tokensPerSecond)),
      t('the first after {0}', stepTime(g.secondsToFirst)),
    );
  return parts.join(' · ');
}
