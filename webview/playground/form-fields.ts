import { html, type TemplateResult } from 'lit';

/** The names of the keys that ask. */
export const ENTER = navigator.userAgent.includes('Mac') ? '⌘Enter' : 'Ctrl+Enter';

/** A button of a form. */
export type FormAction = 'ask' | 'stop' | 'sample' | 'compare' | 'combine';

/** @param usable true if it can be pressed now */
export const button = (
  act: (action: FormAction) => void,
  action: FormAction,
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

/** A setting: its name, its label, what it does, and the step between its numbers. */
export type NumberField<K extends string> = readonly [key: K, label: string, help: string, step: string];

/**
 * Inputs for numbers, each with its effect or its problem below it.
 *
 * @param wrong undefined for one that is valid
 */
export const numberFields = <K extends string>(
  fields: readonly NumberField<K>[],
  typed: Readonly<Record<K, string>>,
  wrong: (key: K) => string | undefined,
  change: (key: K, value: string) => void,
): TemplateResult[] =>
  fields.map(
    ([key, label, help, step]) =>
      html`<label>
        <span>${label}</span>
        <input
          type="number"
          name=${key}
          min="0"
          step=${step}
          .value=${typed[key]}
          aria-invalid=${wrong(key) === undefined ? 'false' : 'true'}
          @input=${(e: Event) => change(key, (e.target as HTMLInputElement).value)}
        />
        <small>${wrong(key) ?? help}</small>
      </label>`,
  );
