import { AuroraError, EXIT } from '../../base/errors';
import { readPreprocessing } from '../../data/images/preprocessor-config';
import { loadTokenizer } from '../../data/text/tokenizer';
import type { Command } from '../command';

/** The editor starts this for the tokenizer or preprocessor of an experiment's model. */
export const checkInputCommand: Command = {
  help: `Usage: aurora check-input tokenizer|preprocessor FILE

Internal: exits with 0 if FILE can be used, otherwise with the error that a run would end with.
`,
  options: {},
  async run({ positionals: [kind, file, ...more] }) {
    if (file === undefined || more.length > 0 || (kind !== 'tokenizer' && kind !== 'preprocessor'))
      throw new AuroraError('usage', 'check-input takes tokenizer or preprocessor, and a file.');
    if (kind === 'tokenizer') loadTokenizer(file);
    else readPreprocessing(file);
    return EXIT.ok;
  },
};
