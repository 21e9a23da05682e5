import { measureRates } from '../../checks/cost/measure-rates';
import { answerParent, endWithParent } from '../signals';
import { threadCount, type Command } from '../command';

/** `aurora inspect` starts this where the machine's speed is not known yet. */
export const measureRatesCommand: Command = {
  help: `Usage: aurora measure-rates --folder FOLDER [--threads N]

Internal: measures products of matrices and elementwise operators on the CPU, and prints the rates as JSON.
`,
  options: { folder: { type: 'string' }, threads: { type: 'string' } },
  async run(args) {
    endWithParent();
    const threads = threadCount(args.text('threads'));
    return answerParent(await measureRates(args.text('folder')!, threads));
  },
};
