import { html, type TemplateResult } from 'lit';
import { PICTURE_DEFAULTS, samplerName, SAMPLERS } from '../../../src/experiment/pictures';
import { isDrawingSettings, type DrawingSettings, type PlayFacts } from '../../../src/protocol/playground';
import { t } from '../../../src/base/l10n';
import { numberFields, type NumberField } from '../number-fields';

/** As typed; errors are shown beside it. */
export type TypedDrawing = Record<keyof DrawingSettings, string>;

/** What was typed, and for the rest what the model is drawn with by default. */
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

export function drawingForm(
  typed: TypedDrawing,
  change: (change: Partial<TypedDrawing>) => void,
): TemplateResult {
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

/** Whether this one is valid, regardless of the others. */
const isUsable = (typed: TypedDrawing, key: keyof DrawingSettings): boolean =>
  drawingOf({ ...typedDrawing(undefined, undefined), [key]: typed[key] }) !== undefined;

function wrong(key: keyof DrawingSettings): string {
  if (key === 'steps') return t('A whole number from 1 to 1,000.');
  if (key === 'guidance') return t('A number of at least 0.');
  return key === 'seed' ? t('A whole number of at least 0.') : t('A multiple of 8, from 8 to 4,096.');
}
