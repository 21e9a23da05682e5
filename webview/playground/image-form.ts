import { html, nothing, type TemplateResult } from 'lit';
import type { ImageShape, PlayImage } from '../../src/protocol/playground';
import { t } from '../../src/base/l10n';

export interface ImageActions {
  /** The answer in the data, while a validation image is shown. */
  truth?: string;
  can: { sample: boolean; compare: boolean };
  act(action: 'sample' | 'compare'): void;
}

/** Where a picture is chosen, and what the model reads of it. */
export function imageForm(
  shape: ImageShape | undefined,
  shown: PlayImage | undefined,
  words: string,
  take: (file: File | undefined) => void,
  { truth, can, act }: ImageActions,
): TemplateResult {
  const button = (action: 'sample' | 'compare', label: string) =>
    html`<vscode-button appearance="secondary" data-action=${action} @click=${() => act(action)}
      >${label}</vscode-button
    >`;
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
      <div class="buttons">
        <vscode-button
          data-action="choose"
          @click=${(e: Event) => (e.target as Element).closest('.image')!.querySelector('input')!.click()}
          >${t('Choose an Image…')}</vscode-button
        >
        ${can.sample ? button('sample', t('Try a Validation Image')) : nothing}
        ${can.compare ? button('compare', t('Compare with…')) : nothing}
      </div>
      <p class="note">
        ${shape ? t('Or paste an image, or hold Shift and drop one here. The model reads {0} × {1} pixels.', shape.width, shape.height) : nothing}
      </p>
      ${words ? html`<p role="status">${words}</p>` : nothing}
      ${truth === undefined ? nothing : html`<p class="truth-line" role="status">${truth}</p>`}
    </div>
  </div>`;
}
