import { html, nothing, type TemplateResult } from 'lit';
import type { PlayFacts, PlayImage } from '../../src/protocol/playground';
import { t } from '../ui/l10n';

/** Where a picture is chosen, and what the model reads of it. */
export function imageForm(
  { image: shape }: PlayFacts,
  shown: PlayImage | undefined,
  words: string,
  take: (file: File | undefined) => void,
): TemplateResult {
  return html`<div class="image">
    ${
      shown
        ? html`<canvas
            class="picture"
            role="img"
            aria-label=${t('The image as the model reads it, {0} × {1}', shown.width, shown.height)}
          ></canvas>`
        : html`<p class="empty">${t('No image yet.')}</p>`
    }
    <div>
      <input
        type="file"
        accept="image/*"
        class="visually-hidden"
        tabindex="-1"
        aria-hidden="true"
        @change=${(e: Event) => {
          const input = e.target as HTMLInputElement;
          take(input.files?.[0]);
          // Choosing the same file again counts as a new choice.
          input.value = '';
        }}
      />
      <vscode-button
        data-action="choose"
        @click=${(e: Event) => (e.target as Element).parentElement!.querySelector('input')!.click()}
        >${t('Choose an Image …')}</vscode-button
      >
      <p class="note">
        ${t('Or paste one, or drop it here with Shift held down. The model reads {0} × {1} pixels.', shape!.width, shape!.height)}
      </p>
      ${words ? html`<p role="status">${words}</p>` : nothing}
    </div>
  </div>`;
}
