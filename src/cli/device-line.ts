import * as words from '../protocol/device-words';

/** The terminal speaks English. */
const t = (sentence: string, ...values: (string | number)[]): string =>
  sentence.replace(/\{(\d+)\}/g, (_, i: string) => String(values[Number(i)]));

/** Where a run computes and why there, with what else was tried. */
export const deviceLine = (of: words.Device): string => `Device: ${words.deviceLine(of, t)}.`;

export const deviceWords = (of: words.Device): string => words.deviceWords(of, t);
