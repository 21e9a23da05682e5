import { Lab } from '../cli/lab';

/** A folder with a tiny real model, its tokenizer, data and `tiny.aurora.json`, as the command-line tests have it. */
export const tinyWorkspace = (settings: Record<string, unknown> = {}): Lab => new Lab(settings);
