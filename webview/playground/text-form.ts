import { html, nothing, type TemplateResult } from 'lit';
import { t } from '../../src/base/l10n';
import { isAskable } from './choices';
import { settingsForm, settingsOf, type TypedSettings } from './settings';

export interface TextForm {
  text: string;
  /** The second text, for a model that reads pairs. */
  pair?: string;
  /** The choices of a question, one a line. */
  choices?: string;
  /** How a hidden token is written, for a model that predicts those. */
  mask?: string;
  /** The template that a prompt is put into, unless it is asked as typed. */
  template?: string;
  asTyped: boolean;
  /** A language model continues it; other models classify it. */
  writes: boolean;
  settings: TypedSettings;
  /** The answer in the data, while an unchanged validation text is in the field. */
  truth?: string;
  /** Whether the program is running. */
  running: boolean;
  /** Whether a text is being generated. */
  busy: boolean;
  can: { sample: boolean; compare: boolean };
  type(text: string): void;
  typePair(text: string): void;
  typeChoices(lines: string): void;
  set(settings: TypedSettings): void;
  useTemplate(use: boolean): void;
  act(action: 'ask' | 'stop' | 'sample' | 'compare'): void;
}

/** How the keys that ask are called. */
export const ENTER = navigator.userAgent.includes('Mac') ? '⌘Enter' : 'Ctrl+Enter';

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

/** @param usable whether it can be pressed now */
export const button = (
  act: TextForm['act'],
  action: Parameters<TextForm['act']>[0],
  label: string,
  primary = false,
  usable = true,
): TemplateResult =>
  html`<vscode-button
    appearance=${primary ? 'primary' : 'secondary'}
    data-action=${action}
    ?disabled=${!usable}
    @click=${(e: Event) => {
      act(action);
      // The button disappears, and the focus would be lost with it.
      if (action === 'stop') (e.target as Element).closest('form')!.querySelector('textarea')!.focus();
    }}
    >${label}</vscode-button
  >`;

/** What is typed: a question with its choices, a pair of texts, or one text. */
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

export const field = (
  label: string,
  placeholder: string,
  rows: number,
  text: string,
  type: (text: string) => void,
): TemplateResult =>
  html`<label class="question">
    <span>${label}</span>
    <textarea
      rows=${rows}
      spellcheck="false"
      placeholder=${placeholder}
      .value=${text}
      @input=${(e: Event) => type((e.target as HTMLTextAreaElement).value)}
    ></textarea>
  </label>`;
