import { runTrial } from '../../trainer/device/trial';
import { answerParent, endWithParent } from '../child';
import { one, type Command } from '../command';

/** What a run starts for each device that it measures or tries. */
export const measureDevice: Command = {
  help: `Usage: aurora measure-device FILE

For the program itself: trains the step in FILE on one device and prints the seconds that it took, as JSON.
`,
  options: {},
  async run(args) {
    const file = one(args, 'file', 'measure-device');
    endWithParent();
    return answerParent(await runTrial(file));
  },
};
