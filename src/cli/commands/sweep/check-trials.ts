import { readFileSync } from 'node:fs';
import { checkTrials, type TrialToCheck } from '../../../sweeps/check-trials';
import { answerParent, endWithParent } from '../../signals';
import { one, type Command } from '../../command';
import { temporaryFolder } from '../../temporary';

/** A sweep starts this before its first trial. */
export const checkTrialsCommand: Command = {
  help: `Usage: aurora check-trials FILE

Internal: checks the trials in FILE and prints those that cannot be trained, as JSON.
`,
  options: {},
  async run(args) {
    const trials = JSON.parse(
      readFileSync(one(args, 'file', 'check-trials'), 'utf8'),
    ) as readonly TrialToCheck[];
    endWithParent();
    return answerParent({ faults: await checkTrials(trials, temporaryFolder('check-trials')) });
  },
};
