import { fill } from '../../src/base/fill';
import { own } from '../../src/base/names';

let translations: Record<string, string> = {};

export const setTranslations = (table: Record<string, string>): void => {
  translations = table;
};

/** A whole sentence, translated where the editor's language has it; {0}, {1} are filled in, as vscode.l10n.t does. */
export const t = (sentence: string, ...values: (string | number)[]): string =>
  fill(own(translations, sentence) ?? sentence, ...values);
