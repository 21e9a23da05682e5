import { join } from 'node:path';
import { AuroraError, EXIT } from '../../base/errors';
import { own } from '../../base/names';
import { machineRates } from '../../checks/cost/machine-rates';
import { checkAdapter, checkPlace, doctor } from '../../checks/doctor/doctor';
import { notBuilt } from '../../engine/devices';
import { type EngineName, ENGINES, type Place } from '../../engine/place';
import type { DoctorLine } from '../../protocol/doctor';
import { machineProgress, partsOfMachine } from '../../protocol/reports/machine-report';
import { SIGN_OF_LIFE } from '../../training/process/child';
import { type Command, threadCount, wholeNumber } from '../command';
import { write } from '../output';
import { writeReport } from '../report-text';
import { answerParent, endWithParent } from '../signals';
import { temporaryFolder } from '../temporary';

const SECONDS = 10;
/** Also sets how long measurements started from the editor take. */
const SECONDS_VARIABLE = 'AURORA_DOCTOR_SECONDS';

export const doctorCommand: Command = {
  help: `Usage: aurora doctor [options]

Lists this machine's CPU, memory, and graphics cards with their drivers. Then measures each device that an
engine could use here for ${SECONDS} seconds: matrix products, and training steps of a small encoder with an AuroRA
adapter, in the same code that trains runs. Reports what is missing and how to get it.

  --seconds N        measure each device for N seconds (default: ${SECONDS_VARIABLE}, else ${SECONDS})
  --threads N        threads on the CPU (default: OMP_NUM_THREADS, or one per core)
  --json             JSON lines, each as soon as it is known: system, checking, place, report

Exits with 0, whatever it finds.
`,
  options: {
    seconds: { type: 'string' },
    threads: { type: 'string' },
    json: { type: 'boolean' },
    // For its child processes.
    place: { type: 'string' },
    folder: { type: 'string' },
    adapter: { type: 'boolean' },
  },
  async run(args) {
    const given = args.text('seconds') ?? process.env[SECONDS_VARIABLE];
    const seconds = wholeNumber('seconds', given ?? String(SECONDS));
    if (seconds < 1) throw new AuroraError('usage', '--seconds takes a whole number of at least 1.');
    const threads = threadCount(args.text('threads'));
    if (args.flag('adapter')) return answerParent(await checkAdapter());
    const place = args.text('place');
    const folder = args.text('folder') ?? temporaryFolder('doctor');
    if (place !== undefined) {
      endWithParent();
      const work = () => process.stdout.write(`${SIGN_OF_LIFE}\n`);
      return answerParent(await checkPlace(parsePlace(place), { folder, seconds, threads }, work));
    }
    const json = args.flag('json');
    const emit = (line: DoctorLine) =>
      json ? write(`${JSON.stringify(line)}\n`) : writeReport(partsOfMachine(line), machineProgress(line));
    const program = join(__dirname, 'cli.cjs');
    const report = await doctor({ places: places(), folder, seconds, threads, program, emit });
    // `aurora inspect` estimates with rates that were measured long ago, or while the machine was busy.
    if (!json) process.stderr.write('Measuring what `aurora inspect` estimates the time of a step with…\n');
    await machineRates({ threads, program, folder: () => folder, measure: 'again' });
    await emit({ kind: 'report', ...report });
    return EXIT.ok;
  },
};

/**
 * Every device that this platform could have, so that missing ones are reported too. The plain JavaScript backend of
 * tfjs is too slow for anything but tests.
 */
const places = (): Place[] =>
  (Object.keys(ENGINES) as EngineName[])
    .flatMap((engine) => ENGINES[engine].map((device) => ({ engine, device }) as Place))
    .filter((place) => !(place.engine === 'tfjs' && place.device === 'cpu') && !notBuilt(place, process));

function parsePlace(text: string): Place {
  const [engine, device] = text.split(':') as [EngineName, string];
  if (!own<readonly string[]>(ENGINES, engine)?.includes(device))
    throw new AuroraError('usage', `--place ${text} is not an engine and one of its devices.`);
  return { engine, device } as Place;
}
