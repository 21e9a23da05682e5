import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from './build.mjs';
import { buildBench, positive, prepareCase } from './lib/bench/cases.mjs';
import { findTorch } from './lib/bench/contestant.mjs';
import { runCase, SIDES } from './lib/bench/devices-run.mjs';
import { Failure, main, say } from './lib/console.mjs';
import { lookAtAdapter, nvidiaCards } from './lib/gpu/hardware.mjs';
import { compareWithPyTorch, PLACES, problemOf, referenceFiles } from './lib/gpu/references.mjs';
import { passed, report } from './lib/gpu/report.mjs';
import { trainSteps } from './lib/gpu/steps.mjs';
import { machine } from './lib/machine.mjs';
import { ROOT } from './lib/run.mjs';
import { ensureDependencies } from './lib/setup.mjs';
import { fillPage } from './lib/study/study.mjs';

const HELP = `Usage: npm run check:gpu -- [--minutes 9] [--threads 2] [--print]

Checks the GPU of this machine with every engine that can use it: the reference files beside PyTorch's numbers; training
steps in float32, in mixed precision and on quantized weights beside the CPU's, with their memory; and a step on each
device, as bench:devices does. Writes its section of docs/devices.md, and exits with 1 if a number is wrong or there is
no GPU. A software renderer (lavapipe) is used if there is nothing else, and the section says so.

  --minutes N   how long it takes at most, about: fewer reference files are compared in less time
  --print       prints the section and writes nothing
`;
const PAGE = join(ROOT, 'docs', 'devices.md');
const BEGIN = '<!-- check: written by npm run check:gpu -->';
const END = '<!-- check: end -->';
/** Encoder:batch×length. A software renderer takes minutes for what a GPU does in a second. */
const CASE = { gpu: '6x384:16x128', software: '6x384:4x32' };
/** Shares of the time; the rest is for building and opening. */
const SHARES = { references: 0.5, steps: 0.2, devices: 0.15 };
/** The GPU's, and ours on the CPU. */
const TIMED = SIDES.filter(({ name, on }) => on === 'gpu' || name === 'ONNX Runtime, cpu');

await main(async () => {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '9' },
      threads: { type: 'string', default: '2' },
      print: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const [minutes, threads] = ['minutes', 'threads'].map((name) => positive(name, values[name]));
  const began = performance.now();
  ensureDependencies();
  await build();
  await buildBench();
  const adapter = lookAtAdapter();
  const { places, absent } = await usable();
  if (places.length === 0)
    throw new Failure(
      `There is no GPU that AuroRA Lab could use here:\n${absent.map((a) => `  ${a.name}: ${a.problem}`).join('\n')}`,
      'docs/devices.md says what each of them needs. On Linux, `vulkaninfo --summary` lists what WebGPU can use.',
    );
  const software = adapter?.software === true && places.every(({ device }) => device === 'webgpu');
  if (software)
    say(`There is only a software renderer, ${adapter.name}: this tries the check itself, not a GPU.`);
  const check = {
    case: CASE[software ? 'software' : 'gpu'],
    adapter,
    software,
    cards: nvidiaCards(),
    absent,
  };

  const seconds = (part) => minutes * 60 * SHARES[part];
  check.references = [];
  for (const place of places) {
    say(`Reference files on ${place.name} …`);
    const compared = await compareWithPyTorch(
      place,
      referenceFiles(place),
      seconds('references') / places.length,
    );
    check.references.push({ name: place.name, ...compared });
  }
  const path = prepareCase(check.case);
  check.steps = [];
  const ours = places.filter(({ engine }) => engine === 'onnxruntime');
  for (const place of ours) {
    say(`Training steps on ${place.name} …`);
    const rows = await trainSteps(place, path, threads, seconds('steps') / ours.length);
    check.steps.push({ name: place.name, rows });
  }
  say('Devices …');
  const limits = { threads, rounds: 10, seconds: seconds('devices') };
  check.devices = await runCase(check.case, findTorch(), limits, TIMED).catch((e) => ({
    problem: e.message,
  }));

  const date = new Date().toISOString().slice(0, 10);
  const text = report({ ...check, date, machine: machine(), minutes: (performance.now() - began) / 60_000 });
  if (values.print) process.stdout.write(`\n${text}\n`);
  else fillPage(PAGE, BEGIN, END, text);
  return passed(check) ? 0 : 1;
});

/** The engines and devices that can be used here, and why the others cannot. */
async function usable() {
  const tried = [];
  for (const place of PLACES) {
    say(`Looking for ${place.name} …`);
    tried.push({ place, problem: await problemOf(place) });
  }
  return {
    places: tried.filter(({ problem }) => problem === undefined).map(({ place }) => place),
    absent: tried
      .filter(({ problem }) => problem !== undefined)
      .map(({ place, problem }) => ({ name: place.name, problem })),
  };
}
