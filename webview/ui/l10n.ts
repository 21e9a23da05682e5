import { fill } from '../../src/base/fill';
import { own } from '../../src/base/names';

let translations: Record<string, string> = {};

export const setTranslations = (table: Record<string, string>): void => {
  translations = table;
};

/** A full sentence, translated if the editor's language has it; {0}, {1} are replaced, as in vscode.l10n.t. */
export const t = (sentence: string, ...values: (string | number)[]): string =>
  fill(own(translations, sentence) ?? sentence, ...values);
