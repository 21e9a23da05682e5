import { Lab } from '../cli/lab';

/**
 * A folder with a tiny real model, its tokenizer, data and `tiny.aurora.json`, as in the command-line tests.
 */
export const tinyWorkspace = (settings: Record<string, unknown> = {}): Lab => new Lab(settings);
