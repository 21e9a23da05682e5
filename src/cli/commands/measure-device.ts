import { EXIT } from '../../shared/errors';
import { runTrial } from '../../trainer/device/trial';
import { one, type Command } from '../command';

/** What `--device auto` starts for each device. */
export const measureDevice: Command = {
  help: `Usage: aurora measure-device FILE

Used by --device auto: trains the step in FILE on one device and prints the seconds that it took, as JSON.
`,
  options: {},
  async run(args) {
    const file = one(args, 'file', 'measure-device');
    process.stdin.on('end', () => process.exit(EXIT.stopped)).resume();
    const answer = await runTrial(file);
    await new Promise<void>((done) => process.stdout.write(`\n${JSON.stringify(answer)}\n`, () => done()));
    // What a driver leaves behind must not keep the process.
    process.exit(EXIT.ok);
  },
};
