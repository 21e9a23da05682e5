import type { RunPictures } from '../../src/protocol/run-files/pictures';
import { samplerName } from '../../src/experiment/pictures';
import { t } from '../../src/base/l10n';
import { formatCount } from './run-numbers';
import { html, nothing, type TemplateResult } from 'lit';
import type { ShownPictures } from '../../src/protocol/panels/run';

/** A moment of training: before it, or an evaluation's step. */
export type Moment = number | 'base';

/** A picture in the strip, which stays the same one when more are drawn. */
export interface Place {
  prompt: number;
  moment: Moment;
}

/** Columns beside the base model's; of more evaluations, evenly spread ones are shown. */
const MOST_COLUMNS = 120;

/** The base model first, then the evaluations, always with the first and the last one. */
export function columnsOf({ evaluations }: RunPictures, most = MOST_COLUMNS): Moment[] {
  const steps = evaluations.map((e) => e.step);
  if (steps.length <= most) return ['base', ...steps];
  const spread = Array.from(
    { length: most },
    (_, i) => steps[Math.round((i * (steps.length - 1)) / (most - 1))],
  );
  return ['base', ...spread];
}

/** The file of a picture; undefined if it was not drawn. */
export function fileAt({ base, evaluations }: RunPictures, { prompt, moment }: Place): string | undefined {
  const files = moment === 'base' ? base : evaluations.find((e) => e.step === moment)?.files;
  return files?.[prompt];
}

/** The target of a key in the strip; undefined for other keys. */
export function keyTarget(
  e: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey'>,
  { prompt, moment }: Place,
  columns: readonly Moment[],
  prompts: number,
): Place | undefined {
  const at = Math.max(0, columns.indexOf(moment));
  const all = e.ctrlKey || e.metaKey;
  const [rows, last] = [prompts - 1, columns.length - 1];
  const to: Record<string, [row: number, column: number]> = {
    ArrowLeft: [prompt, at - 1],
    ArrowRight: [prompt, at + 1],
    ArrowUp: [prompt - 1, at],
    ArrowDown: [prompt + 1, at],
    Home: [all ? 0 : prompt, 0],
    End: [all ? rows : prompt, last],
  };
  if (!Object.hasOwn(to, e.key)) return undefined;
  const [row, column] = to[e.key];
  const within = (value: number, most: number) => Math.min(Math.max(value, 0), most);
  return { prompt: within(row, rows), moment: columns[within(column, last)] };
}

export const momentText = (moment: Moment): string =>
  moment === 'base' ? t('Base model') : t('Step {0}', formatCount(moment));

/** The settings of all pictures. */
export function settingsText({
  sampler,
  steps,
  guidance,
  width,
  height,
  negativePrompt,
}: RunPictures): string {
  const words = t(
    'Drawn from the same noise before training and at evaluations: {0}, {1} steps, guidance {2}, {3} × {4} pixels.',
    ...[samplerName(sampler), steps, guidance, width, height],
  );
  return negativePrompt === undefined || negativePrompt === ''
    ? words
    : `${words} ${t('Negative prompt: {0}.', negativePrompt)}`;
}

interface LargeContext {
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
