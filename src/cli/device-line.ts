import * as words from '../protocol/device-words';

/** The device that a run computes on, why it was chosen, and the others that were tried. */
export const deviceLine = (of: words.Device): string => `Device: ${words.deviceLine(of)}.`;

export const deviceWords = (of: words.Device): string => words.deviceWords(of);
