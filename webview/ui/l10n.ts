import { english, translated, type Say } from '../../src/study/say';

let say = english;

export const setTranslations = (table: Record<string, string>): void => {
  say = translated(table);
};

/** A full sentence, translated if the editor's language has it; {0}, {1} are replaced, as in vscode.l10n.t. */
export const t: Say = (sentence, ...values) => say(sentence, ...values);
