import { fill } from '../base/fill';
import { own } from '../base/names';

/** Translates a sentence and fills in {0}, {1} …: vscode.l10n.t, a page's t, or `english`. */
export type Say = (sentence: string, ...values: (string | number)[]) => string;

export const english: Say = fill;

/** Into the language of these translations, as far as they have the sentence. */
export const translated =
  (table: Readonly<Record<string, string>>): Say =>
  (sentence, ...values) =>
    fill(own(table, sentence) ?? sentence, ...values);
