import { html, type TemplateResult } from 'lit';

/** A setting: its name, its label, what it does, and the step between its numbers. */
export type NumberField<K extends string> = readonly [key: K, label: string, help: string, step: string];

/**
 * Inputs for numbers, each with what it does below it, or with what is wrong.
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
