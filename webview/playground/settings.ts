import { html, type TemplateResult } from 'lit';
import {
  GENERATION_DEFAULTS,
  isGenerationSettings,
  type GenerationSettings,
} from '../../src/protocol/playground';
import { t } from '../../src/base/l10n';
import { numberFields, type NumberField } from './number-fields';

/** As typed; errors are shown beside it. */
export type TypedSettings = Record<keyof GenerationSettings, string>;

export const DEFAULT_TYPED = Object.fromEntries(
  Object.entries(GENERATION_DEFAULTS).map(([key, value]) => [key, String(value)]),
) as TypedSettings;

/** Undefined if one of them is invalid. */
export function settingsOf(typed: TypedSettings): GenerationSettings | undefined {
  const entries = Object.entries(typed).map(([key, text]) => [key, text.trim() === '' ? NaN : Number(text)]);
  const settings: unknown = Object.fromEntries(entries);
  return isGenerationSettings(settings) ? settings : undefined;
}

export function settingsForm(
  typed: TypedSettings,
  change: (change: Partial<TypedSettings>) => void,
): TemplateResult {
  const fields: NumberField<keyof GenerationSettings>[] = [
    ['maxTokens', t('Maximum tokens'), t('number of tokens to generate'), '1'],
    ['temperature', t('Temperature'), t('0: always the most likely token'), '0.1'],
    ['topK', t('Top-k'), t('sample from the k most likely; 0: all'), '1'],
    ['topP', t('Top-p'), t('cumulative probability to sample from; 1: all'), '0.05'],
    ['seed', t('Seed'), t('same seed, same text'), '1'],
  ];
  const problem = (key: keyof GenerationSettings) => (isUsable(typed, key) ? undefined : wrong(key));
  return html`<div class="settings" role="group" aria-label=${t('Generation settings')}>
    ${numberFields(fields, typed, problem, (key, value) => change({ [key]: value }))}
  </div>`;
}

/** Whether this one is valid, regardless of the others. */
const isUsable = (typed: TypedSettings, key: keyof GenerationSettings): boolean =>
  settingsOf({ ...DEFAULT_TYPED, [key]: typed[key] }) !== undefined;

function wrong(key: keyof GenerationSettings): string {
  if (key === 'topP') return t('A number above 0, up to 1.');
  return key === 'temperature' ? t('A number of at least 0.') : t('A whole number of at least 0.');
}
