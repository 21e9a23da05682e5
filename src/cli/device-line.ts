import { fill } from '../base/fill';
import * as words from '../protocol/device-words';

/** Where a run computes and why there, with what else was tried. */
export const deviceLine = (of: words.Device): string => `Device: ${words.deviceLine(of, fill)}.`;

export const deviceWords = (of: words.Device): string => words.deviceWords(of, fill);
