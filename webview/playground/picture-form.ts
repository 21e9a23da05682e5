import { html, nothing, type TemplateResult } from 'lit';
import { t } from '../../src/base/l10n';
import { PICTURE_DEFAULTS, samplerName, SAMPLERS } from '../../src/experiment/pictures';
import { isDrawingSettings, type DrawingSettings } from '../../src/protocol/play-question';
import type { PlayFacts } from '../../src/protocol/playground';
import { button, ENTER, field, numberFields, type FormAction, type NumberField } from './form-fields';

export interface PictureForm {
  prompt: string;
  /** A prompt that pictures are pushed away from. */
  negative: string;
  /** Undefined until the model is loaded. */
  settings: TypedDrawing | undefined;
  /** True if its program runs. */
  ready: boolean;
  /** True while a picture is being drawn. */
  busy: boolean;
  /** The place of a validation prompt, while it is unchanged. */
  truth?: string;
  can: { sample: boolean; compare: boolean; combine: boolean };
  type(change: { text?: string; negative?: string }): void;
  set(change: Partial<TypedDrawing>): void;
  act(action: FormAction): void;
}

/** The fields for a prompt and how to draw it, and the buttons. */
export function pictureForm(f: PictureForm): TemplateResult {
  const { act, busy } = f;
  const settings = f.settings && drawingOf(f.settings);
  const askable = f.ready && settings !== undefined;
  return html`<form
    @submit=${(e: Event) => e.preventDefault()}
    @keydown=${(e: KeyboardEvent) => {
      if (e.key === 'Escape' && busy) return act('stop');
      if (e.key !== 'Enter' || !(e.ctrlKey || e.metaKey)) return;
      e.preventDefault();
      if (askable) act('ask');
    }}
  >
    ${field(t('Prompt'), t('What the picture shows.'), 3, f.prompt, (text) => f.type({ text }))}
    ${f.truth === undefined ? nothing : html`<p class="truth-line" role="status">${f.truth}</p>`}
    ${field(t('Negative prompt'), t('What it should not show.'), 2, f.negative, (negative) => f.type({ negative }))}
    ${f.settings ? drawingForm(f.settings, f.set) : nothing}
    ${
      f.negative.trim() !== '' && settings && settings.guidance <= 1
        ? html`<p class="note">${t('Without guidance (above 1), the negative prompt has no effect.')}</p>`
        : nothing
    }
    <div class="buttons">
      ${button(act, 'ask', t('Draw'), true, askable)} ${busy ? button(act, 'stop', t('Stop')) : nothing}
      ${f.can.sample ? button(act, 'sample', t('Try a Validation Prompt')) : nothing}
      ${f.can.compare ? button(act, 'compare', t('Compare with…')) : nothing}
      ${f.can.combine ? button(act, 'combine', t('Add Adapter…')) : nothing}
      <span class="note">${t('Press {0} to draw, Escape to stop.', ENTER)}</span>
    </div>
  </form>`;
}

/** As typed; errors are shown beside it. */
export type TypedDrawing = Record<keyof DrawingSettings, string>;

/** The typed settings, and the model's defaults for the others. */
export function typedDrawing(
  typed: Partial<TypedDrawing> | undefined,
  own: PlayFacts['drawing'],
): TypedDrawing {
  const defaults = { ...PICTURE_DEFAULTS, width: 512, height: 512, ...own };
  const texts = Object.entries(defaults).map(([key, value]) => [key, String(value)]);
  return { ...(Object.fromEntries(texts) as TypedDrawing), ...typed };
}

/** Undefined if one of them is invalid. */
export function drawingOf({ sampler, ...numbers }: TypedDrawing): DrawingSettings | undefined {
  const entries = Object.entries(numbers).map(([key, text]) => [
    key,
    text.trim() === '' ? NaN : Number(text),
  ]);
  const settings: unknown = { ...Object.fromEntries(entries), sampler };
  return isDrawingSettings(settings) ? settings : undefined;
}

function drawingForm(typed: TypedDrawing, change: (change: Partial<TypedDrawing>) => void): TemplateResult {
  const fields: NumberField<Exclude<keyof DrawingSettings, 'sampler'>>[] = [
    ['steps', t('Steps'), t('predictions of the noise'), '1'],
    ['guidance', t('Guidance'), t('how closely to follow the prompt; 1: no guidance'), '0.5'],
    ['seed', t('Seed'), t('same seed, same picture'), '1'],
    ['width', t('Width'), t('pixels, a multiple of 8'), '8'],
    ['height', t('Height'), t('pixels, a multiple of 8'), '8'],
  ];
  const problem = (key: keyof DrawingSettings) => (isUsable(typed, key) ? undefined : wrong(key));
  return html`<div class="settings" role="group" aria-label=${t('Picture settings')}>
    ${numberFields(fields, typed, problem, (key, value) => change({ [key]: value }))}
    <label>
      <span>${t('Sampler')}</span>
      <select
        name="sampler"
        @change=${(e: Event) => change({ sampler: (e.target as HTMLSelectElement).value })}
      >
        ${SAMPLERS.map((name) => html`<option value=${name} ?selected=${name === typed.sampler}>${samplerName(name)}</option>`)}
      </select>
      <small>${t('how noise becomes a picture')}</small>
    </label>
  </div>`;
}

/** True if this one is valid, regardless of the others. */
const isUsable = (typed: TypedDrawing, key: keyof DrawingSettings): boolean =>
  drawingOf({ ...typedDrawing(undefined, undefined), [key]: typed[key] }) !== undefined;

function wrong(key: keyof DrawingSettings): string {
  if (key === 'steps') return t('A whole number from 1 to 1,000.');
  if (key === 'guidance') return t('A number of at least 0.');
  return key === 'seed' ? t('A whole number of at least 0.') : t('A multiple of 8, from 8 to 4,096.');
}
