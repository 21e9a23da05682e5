/** Replaces {0}, {1} … by values, as vscode.l10n.t does; a placeholder without a value stays. */
export const fill = (sentence: string, ...values: (string | number)[]): string =>
  sentence.replace(/\{(\d+)\}/g, (whole, i: string) => String(values[Number(i)] ?? whole));
