import { html, nothing, type TemplateResult } from 'lit';
import type { ShownPictures } from '../../../src/protocol/panels/run';
import { t } from '../../../src/base/l10n';
import { fileAt, type Moment, type Place } from './columns';
import { momentText } from './words';

export interface LargeContext {
  pictures: ShownPictures;
  place: Place;
  /** Beneath the picture of a step. */
  note(moment: Moment): string;
  show(place: Place): void;
  /** Opens the file in an editor. */
  open(file: string): void;
  close(): void;
}

/** A picture in full size, beside the base model's of the same prompt and noise. */
export function largeView(context: LargeContext): TemplateResult {
  const { pictures, place, show, close } = context;
  const { prompts, evaluations } = pictures.index;
  const { prompt } = place;
  const steps = evaluations.map((e) => e.step);
  // Beside the base model's own picture: the newest one.
  const moment = place.moment === 'base' ? steps.at(-1) : place.moment;
  const at = moment === undefined ? -1 : steps.indexOf(moment);
  const to = (by: number) =>
    show({ prompt: (prompt + by + prompts.length) % prompts.length, moment: moment ?? 'base' });
  return html`<header>
      <h3 id="large-heading" tabindex="-1">${prompts[prompt].text}</h3>
      ${
        prompts.length > 1
          ? [
              html`<vscode-button appearance="secondary" @click=${() => to(-1)}
                >${t('Previous Prompt')}</vscode-button
              >`,
              html`<vscode-button appearance="secondary" @click=${() => to(1)}
                >${t('Next Prompt')}</vscode-button
              >`,
            ]
          : nothing
      }
      <vscode-button appearance="secondary" class="close" @click=${close}>${t('Close')}</vscode-button>
    </header>
    <div class="beside">
      ${figure('base', context)} ${moment === undefined ? nothing : figure(moment, context)}
    </div>
    ${
      steps.length > 1 && moment !== undefined
        ? html`<label class="steps">
            <span>${t('Step')}</span>
            <input
              type="range"
              min="0"
              max=${steps.length - 1}
              .value=${String(at)}
              aria-valuetext=${momentText(moment)}
              @input=${(e: Event) => show({ prompt, moment: steps[Number((e.target as HTMLInputElement).value)] })}
            />
            <output>${momentText(moment)}</output>
          </label>`
        : nothing
    }`;
}

function figure(moment: Moment, { pictures, place, note, open }: LargeContext): TemplateResult {
  const { index, folder } = pictures;
  const file = fileAt(index, { prompt: place.prompt, moment });
  const { text } = index.prompts[place.prompt];
  return html`<figure>
    ${
      file === undefined
        ? html`<p class="none">${t('not drawn')}</p>`
        : html`<img
            src="${folder}/${file}"
            alt=${t('{0}: {1}', momentText(moment), text)}
            width=${index.width}
            height=${index.height}
            class=${Math.max(index.width, index.height) < SMALL ? 'pixelated' : ''}
          />`
    }
    <figcaption>
      ${momentText(moment)} ${note(moment) ? html`<span class="quiet">${note(moment)}</span>` : nothing}
      ${file === undefined ? nothing : html`<button class="link" @click=${() => open(file)}>${t('Open File')}</button>`}
    </figcaption>
  </figure>`;
}

/** Pictures with fewer pixels show them as squares. */
const SMALL = 128;
