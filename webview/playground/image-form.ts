import { html, nothing, type TemplateResult } from 'lit';
import { t } from '../../src/base/l10n';
import { patchedSize } from '../../src/base/patch-budget';
import type { ImageShape } from '../../src/protocol/playground';
import type { PlayImage } from '../../src/protocol/play-question';

export interface ImageActions {
  /** The answer in the data, while a validation image is shown. */
  truth?: string;
  can: { sample: boolean; compare: boolean };
  act(action: 'sample' | 'compare'): void;
}

/** The form that chooses a picture, and the part of it that the model reads. */
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

/** Bytes converted to characters at once. */
const CHUNK = 0x8000;

/** A picture as the model reads it, and its original size; rejects if it is not an image. */
export async function readPicture(
  file: Blob,
  shape: ImageShape,
): Promise<{ image: PlayImage; from: { width: number; height: number } }> {
  const bitmap = await createImageBitmap(file);
  const { width, height } = shape.patches ? patchedSize(bitmap, shape.patches) : shape;
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width, height });
  const g = canvas.getContext('2d', { willReadFrequently: true })!;
  // Transparent pixels show the page's background, not black.
  g.fillStyle = 'white';
  g.fillRect(0, 0, width, height);
  g.imageSmoothingQuality = 'high';
  const [w, h] = drawnSize(bitmap, { ...shape, width, height });
  g.drawImage(bitmap, (width - w) / 2, (height - h) / 2, w, h);
  const from = { width: bitmap.width, height: bitmap.height };
  bitmap.close();
  return { image: { width, height, rgba: base64(g.getImageData(0, 0, width, height).data) }, from };
}

/** The whole picture resized to the shape, or scaled by its shorter side and cropped to the center. */
function drawnSize({ width, height }: ImageBitmap, shape: ImageShape): [number, number] {
  const { shortestEdge } = shape;
  if (shortestEdge === undefined) return [shape.width, shape.height];
  const scale = shortestEdge / Math.min(width, height);
  return [width * scale, height * scale];
}

function base64(bytes: Uint8ClampedArray): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += CHUNK) text += String.fromCharCode(...bytes.subarray(i, i + CHUNK));
  return btoa(text);
}

/** Draws the image as the model reads it. */
export function drawImage(canvas: HTMLCanvasElement, { width, height, rgba }: PlayImage): void {
  Object.assign(canvas, { width, height });
  const bytes = Uint8ClampedArray.from(atob(rgba), (c) => c.charCodeAt(0));
  canvas.getContext('2d')!.putImageData(new ImageData(bytes, width, height), 0, 0);
}

/** The first image among pasted or dropped items. */
export const imageIn = (data: DataTransfer | null): File | undefined =>
  [...(data?.files ?? [])].find((f) => f.type.startsWith('image/')) ?? data?.files[0];
