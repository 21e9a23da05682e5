import { platform, arch } from 'node:os';
import { ENGINES, type EngineName, type Place } from '../../engine/place';
import type { DoctorLine } from '../../shared/doctor';
import { AuroraError, EXIT } from '../../shared/errors';
import { checkAdapter, checkPlace, doctor } from '../../trainer/doctor/doctor';
import { threadCount, wholeNumber, type Command } from '../command';
import { doctorText } from '../doctor-report';

const SECONDS = 10;

export const doctorCommand: Command = {
  help: `Usage: aurora doctor [options]

Looks at this machine: processor, memory, graphics cards with their drivers. Then it measures each device that an
engine could use here, ${SECONDS} seconds each: products of matrices, and training steps of a small encoder with an
AuroRA adapter through the code that trains. Says what is missing and how to get it.

  --seconds N        measure each device for N seconds (default: ${SECONDS})
  --threads N        threads on a processor (default: one a core)
  --json             JSON lines, each as soon as it is known: system, checking, place, report
`,
  options: {
    seconds: { type: 'string' },
    threads: { type: 'string' },
    json: { type: 'boolean' },
    // What its own child processes are asked.
    place: { type: 'string' },
    adapter: { type: 'boolean' },
  },
  async run(args) {
    const seconds = wholeNumber('seconds', args.text('seconds') ?? String(SECONDS));
    if (seconds < 1) throw new AuroraError('usage', '--seconds takes a number from 1 on.');
    const threads = threadCount(args.text('threads'));
    if (args.flag('adapter')) return answer(await checkAdapter());
    const place = args.text('place');
    if (place !== undefined) return answer(await checkPlace(parsePlace(place), seconds, threads));
    const json = args.flag('json');
    const emit = (line: DoctorLine) => write(json ? `${JSON.stringify(line)}\n` : doctorText(line));
    const report = await doctor({ places: places(), seconds, threads, program: process.argv[1], emit });
    await emit({ kind: 'report', ...report });
    return EXIT.ok;
  },
};

/** Everything that this platform could have; tfjs' plain JavaScript is for tests and never worth it. */
function places(): Place[] {
  const here = `${platform()}-${arch()}`;
  const not: string[] = [
    'tfjs:cpu',
    ...(here === 'linux-x64' ? [] : ['onnxruntime:cuda']),
    ...(here === 'linux-x64' || here === 'win32-x64' ? [] : ['tfjs:tensorflow']),
    ...(here === 'linux-arm64' ? ['onnxruntime:webgpu'] : []),
  ];
  return (Object.keys(ENGINES) as EngineName[]).flatMap((engine) =>
    ENGINES[engine]
      .filter((device) => !not.includes(`${engine}:${device}`))
      .map((device) => ({ engine, device }) as Place),
  );
}

function parsePlace(text: string): Place {
  const [engine, device] = text.split(':') as [EngineName, string];
  if (!(ENGINES[engine] as readonly string[] | undefined)?.includes(device))
    throw new AuroraError('usage', `--place ${text} is no engine with one of its devices.`);
  return { engine, device } as Place;
}

/** The whole line, and then the end: what a driver leaves behind must not keep the process. */
async function answer(value: object): Promise<number> {
  await write(`\n${JSON.stringify(value)}\n`);
  process.exit(EXIT.ok);
}

const write = (text: string): Promise<void> =>
  new Promise((done) => process.stdout.write(text, () => done()));
