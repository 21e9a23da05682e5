import { runTrial } from '../../training/device/device-trial';
import { answerParent, endWithParent } from '../signals';
import { one, type Command } from '../command';

/** A run starts this for each device that it measures or tries. */
export const measureDevice: Command = {
  help: `Usage: aurora measure-device FILE

Internal: trains the step in FILE on one device and prints the time in seconds, as JSON.
`,
  options: {},
  async run(args) {
    const file = one(args, 'file', 'measure-device');
    endWithParent();
    return answerParent(await runTrial(file));
  },
};
