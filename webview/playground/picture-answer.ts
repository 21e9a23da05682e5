import { html, type TemplateResult } from 'lit';
import { t } from '../../src/base/l10n';
import { stepTime } from '../../src/base/number-text';
import type { PlayPicture } from '../../src/protocol/playground';
import { nameOf, type AnswerKind, type CardContext, type Column } from './answer-kind';

/** Pictures with fewer pixels are enlarged without blurring them. */
const SMALL = 128;

/** A picture of the prompt. */
export const pictureAnswer: AnswerKind = {
  asked: 'draw',
  card,
  below: () => ({ compared: t('All pictures start from the same noise.') }),
  spoken: (column) => column.answer?.picture && t('{0}: the picture is drawn.', nameOf(column)),
  truth: (_, place) => t('{0}.', place),
};

/** The picture, or the steps that are done. */
function card(column: Column, { busy, request, prompt, save }: CardContext): TemplateResult {
  const { answer } = column;
  if (answer?.picture) return drawn(column, answer.picture, prompt, save);
  const { drawing } = answer ?? {};
  if (drawing && busy) {
    const words = t('Step {0} of {1}', drawing.step, drawing.of);
    return html`<div>
      <progress max=${drawing.of} value=${drawing.step} aria-label=${t('Steps')}></progress>
      <p class="note numbers">${words}</p>
    </div>`;
  }
  if (drawing) return html`<p class="note">${t('Stopped at step {0} of {1}.', drawing.step, drawing.of)}</p>`;
  return html`<p class="note">
    ${busy ? t('Waiting for its turn…') : request > 0 ? t('Not drawn.') : t('No picture yet.')}
  </p>`;
}

function drawn(
  column: Column,
  { width, height, png, seconds }: PlayPicture,
  prompt: string,
  save: CardContext['save'],
): TemplateResult {
  return html`<img
      class=${Math.max(width, height) < SMALL ? 'drawn pixelated' : 'drawn'}
      src="data:image/png;base64,${png}"
      width=${width}
      height=${height}
      alt=${t('{0}: {1}', nameOf(column), prompt)}
    />
    <p class="note numbers">${t('{0} × {1} pixels · {2}', width, height, stepTime(seconds))}</p>
    <div>
      <vscode-button
        appearance="secondary"
        data-action="save"
        aria-label=${t('Save Picture of {0}', nameOf(column))}
        @click=${() => save(column)}
        >${t('Save Picture')}</vscode-button
      >
    </div>`;
}
