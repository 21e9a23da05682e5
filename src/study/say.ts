import { fill } from '../base/fill';

/** Translates a sentence and fills in {0}, {1} …: vscode.l10n.t, a page's t, or `english`. */
export type Say = (sentence: string, ...values: (string | number)[]) => string;

export const english: Say = fill;
