import { own } from './names';

let translations: Readonly<Record<string, string>> = {};

/** Translations of sentences, for `t`. Set once, when the extension, a page or a worker starts; a terminal has none. */
export function setTranslations(table: Readonly<Record<string, string>>): void {
  translations = table;
}

/** A full sentence in the editor's language, if there is a translation; {0}, {1} … are replaced, as in vscode.l10n.t. */
export const t = (sentence: string, ...values: (string | number)[]): string =>
  fill(own(translations, sentence) ?? sentence, ...values);

/**
 * The text that `make` returns in English, whatever the editor's language: for a language model, an error's message, or a
 * value that is compared.
 */
export function inEnglish<T>(make: () => T): T {
  const before = translations;
  translations = {};
  try {
    return make();
  } finally {
    translations = before;
  }
}

/** A placeholder without a value stays. */
const fill = (sentence: string, ...values: (string | number)[]): string =>
  sentence.replace(/\{(\d+)\}/g, (whole, i: string) => String(values[Number(i)] ?? whole));
