import { html, nothing, type TemplateResult } from 'lit';
import { t } from '../../src/base/l10n';
import {
  GENERATION_DEFAULTS,
  isGenerationSettings,
  type GenerationSettings,
} from '../../src/protocol/play-question';
import { button, ENTER, field, numberFields, type FormAction, type NumberField } from './form-fields';
import { isAskable } from './typed-question';

export interface TextForm {
  text: string;
  /** The second text, for a model that reads pairs. */
  pair?: string;
  /** The choices of a question, one a line. */
  choices?: string;
  /** The spelling of a hidden token, for a model that predicts those. */
  mask?: string;
  /** The template that a prompt is put into, unless it is asked as typed. */
  template?: string;
  asTyped: boolean;
  /** A language model continues it; other models classify it. */
  writes: boolean;
  settings: TypedSettings;
  /** The answer in the data, while an unchanged validation text is in the field. */
  truth?: string;
  /** True if the program is running. */
  running: boolean;
  /** True while a text is being generated. */
  busy: boolean;
  can: { sample: boolean; compare: boolean; combine: boolean };
  type(text: string): void;
  typePair(text: string): void;
  typeChoices(lines: string): void;
  set(settings: TypedSettings): void;
  useTemplate(use: boolean): void;
  act(action: FormAction): void;
}

/** The field for a text, and its buttons. */
export function textForm(f: TextForm): TemplateResult {
  const { writes, busy, act } = f;
  const typed = isAskable(f);
  const askable = typed && f.running && (!writes || settingsOf(f.settings) !== undefined);
  return html`<form
    @submit=${(e: Event) => e.preventDefault()}
    @keydown=${(e: KeyboardEvent) => {
      if (e.key === 'Escape' && writes && busy) return act('stop');
      if (e.key !== 'Enter' || !(e.ctrlKey || e.metaKey)) return;
      e.preventDefault();
      if (askable) act('ask');
    }}
  >
    ${fields(f)} ${f.truth === undefined ? nothing : html`<p class="truth-line" role="status">${f.truth}</p>`}
    ${f.template === undefined ? nothing : templateBox(f.template, f)}
    ${writes ? settingsForm(f.settings, (change) => f.set({ ...f.settings, ...change })) : nothing}
    <div class="buttons">
      ${button(act, 'ask', writes ? t('Generate') : t('Ask'), true, askable)}
      ${writes && busy ? button(act, 'stop', t('Stop')) : nothing}
      ${f.mask === undefined ? nothing : insertButton(f.mask, f.type)}
      ${f.can.sample ? button(act, 'sample', sampleName(f)) : nothing}
      ${f.can.compare ? button(act, 'compare', t('Compare with…')) : nothing}
      ${f.can.combine ? button(act, 'combine', t('Add Adapter…')) : nothing}
      <span class="note"
        >${writes ? t('Press {0} to generate, Escape to stop.', ENTER) : t('Press {0} to run now.', ENTER)}</span
      >
    </div>
    ${
      writes
        ? html`<p class="note">
            ${t('Each token recomputes the whole text, without a key/value cache: generation slows down as the text grows.')}
          </p>`
        : nothing
    }
  </form>`;
}

/** The fields for a question with its choices, a pair of texts, or one text. */
function fields(f: TextForm): TemplateResult {
  if (f.choices !== undefined)
    return html`${field(t('Question'), t('Type or paste a question: it is sent when you pause.'), 4, f.text, f.type)}
    ${field(t('Choices'), t('One per line.'), 4, f.choices, f.typeChoices)}`;
  if (f.pair !== undefined)
    return html`${field(t('First text'), t('Type or paste both texts: they are sent when you pause.'), 2, f.text, f.type)}
    ${field(t('Second text'), '', 2, f.pair, f.typePair)}`;
  return field(f.writes ? t('Prompt') : t('Text'), placeholder(f), 4, f.text, f.type);
}

function sampleName({ pair, choices }: TextForm): string {
  if (choices !== undefined) return t('Try a Validation Question');
  return pair === undefined ? t('Try a Validation Text') : t('Try a Validation Pair');
}

function placeholder({ writes, mask }: TextForm): string {
  if (writes) return t('The model continues this text.');
  return mask === undefined
    ? t('Type or paste a text: it is sent when you pause.')
    : t('Type a text with {0} in place of each hidden token: it is sent when you pause.', mask);
}

/** Writes a mask where the cursor is. */
const insertButton = (mask: string, type: (text: string) => void): TemplateResult =>
  html`<vscode-button
    appearance="secondary"
    data-action="mask"
    @click=${(e: Event) => {
      const box = (e.target as Element).closest('form')!.querySelector('textarea')!;
      box.setRangeText(mask, box.selectionStart, box.selectionEnd, 'end');
      box.focus();
      type(box.value);
    }}
    >${t('Insert {0}', mask)}</vscode-button
  >`;

/** The template of the data, shown as it is written. */
const templateBox = (template: string, { asTyped, useTemplate }: TextForm): TemplateResult =>
  html`<p class="template">
    <vscode-checkbox
      ?checked=${!asTyped}
      @change=${(e: Event) => useTemplate((e.target as HTMLInputElement).checked)}
      >${t('Use the prompt template of training')}</vscode-checkbox
    >
    <code>${template.replaceAll('\n', '↵')}</code>
  </p>`;

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

function settingsForm(
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

/** True if this one is valid, regardless of the others. */
const isUsable = (typed: TypedSettings, key: keyof GenerationSettings): boolean =>
  settingsOf({ ...DEFAULT_TYPED, [key]: typed[key] }) !== undefined;

function wrong(key: keyof GenerationSettings): string {
  if (key === 'topP') return t('A number above 0, up to 1.');
  return key === 'temperature' ? t('A number of at least 0.') : t('A whole number of at least 0.');
}
