import { readFileSync } from 'node:fs';
import { checkTrials, type TrialToCheck } from '../../../trainer/sweep/check';
import { answerParent, endWithParent } from '../../child';
import { one, type Command } from '../../command';
import { temporaryFolder } from '../../temporary';

/** What a sweep starts before its first trial. */
export const checkTrialsCommand: Command = {
  help: `Usage: aurora check-trials FILE

For the program itself: checks the trials in FILE and prints those that could not be trained, as JSON.
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
