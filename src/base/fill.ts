/** Replaces {0}, {1} … with values, like vscode.l10n.t; a placeholder without a value stays. */
export const fill = (sentence: string, ...values: (string | number)[]): string =>
  sentence.replace(/\{(\d+)\}/g, (whole, i: string) => String(values[Number(i)] ?? whole));
