import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from './build.mjs';
import { buildBench, cleanUp, FOLDER as BENCH, positive, prepareCase } from './lib/bench/cases.mjs';
import { Failure, main, say } from './lib/console.mjs';
import { Contestant } from './lib/bench/contestant.mjs';
import { machine } from './lib/machine.mjs';
import { page } from './lib/study/precision-report.mjs';
import { ROOT } from './lib/run.mjs';
import { ensureDependencies } from './lib/setup.mjs';
import { fillPage, keptRun, resultOf, writeFirstRows } from './lib/study/study.mjs';
import { ensureUseLite } from './lib/use-lite.mjs';

const HELP = `Usage: node scripts/study-precision.mjs [--steps 276] [--seeds 3] [--rounds 7]

Measures what mixed precision costs and gains: step time and memory relative to float32, loss and gradients on the
reference models, and the demo's task trained both ways. Writes the numbers of docs/studies/mixed-precision.md.
`;
const DEVICES = ['cpu', 'webgpu'];
/** A software renderer takes minutes for what a CPU does in a second. */
const CASES = { cpu: ['6x384:16x128', '12x768:16x32'], webgpu: ['6x384:4x32'] };
const REFERENCES = ['bert-aurora', 'bert-lora', 'llama-aurora', 'vit-aurora', 'more/t5', 'more/gpt2'];
const VALIDATION_ROWS = 1000;
const STUDY = 'study-precision';
const PAGE = join(ROOT, 'docs', 'studies', 'mixed-precision.md');
const BEGIN = '<!-- numbers: written by scripts/study-precision.mjs -->';
const END = '<!-- end of numbers -->';

await main(async () => {
  const number = (value) => ({ type: 'string', default: value });
  const { values } = parseArgs({
    options: { steps: number('276'), seeds: number('3'), rounds: number('7'), help: { type: 'boolean' } },
  });
  if (values.help) return void process.stdout.write(HELP);
  const [steps, seeds, rounds] = ['steps', 'seeds', 'rounds'].map((name) => positive(name, values[name]));
  ensureDependencies();
  await build();
  await buildBench();
  ensureUseLite();
  const differences = Object.fromEntries(DEVICES.map((device) => [device, referenceDifferences(device)]));
  const speed = [];
  for (const device of DEVICES)
    for (const name of CASES[device]) speed.push(await measure(device, name, rounds));
  const runs = [];
  for (let seed = 1; seed <= seeds; seed++)
    runs.push({ seed, full: train('float32', steps, seed), mixed: train('mixed', steps, seed) });
  const text = page({ machine: machine(), references: REFERENCES, differences, speed, runs, steps });
  fillPage(PAGE, BEGIN, END, text);
});

/** For each reference model in turn. */
function referenceDifferences(device) {
  say(`Reference models on ${device} …`);
  const files = REFERENCES.map((name) => join(ROOT, 'test/fixtures/reference', `${name}.json`));
  const program = join(BENCH, 'reference-precision.cjs');
  const result = spawnSync(process.execPath, [program, device, ...files], { cwd: ROOT, encoding: 'utf8' });
  if (result.status !== 0)
    throw new Failure(`The reference models did not run on ${device}:\n${result.stderr}`);
  return result.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** Both precisions alternate, so that other load on the machine affects both equally. */
async function measure(device, name, rounds) {
  say(`${name} on ${device} …`);
  const args = [join(BENCH, 'step.cjs'), prepareCase(name), '2', `onnxruntime:${device}`];
  const [full, mixed] = ['whole', 'mixed'].map(
    (way) => new Contestant(way, process.execPath, [...args, way]),
  );
  const sides = [full, mixed];
  try {
    for (const side of sides) await side.start();
    for (let round = 0; round <= rounds; round++)
      for (const side of sides) await side.measure('step', round > 0);
    for (const side of sides) await side.noteMemory('step');
  } finally {
    const gone = sides.map((side) => once(side.child, 'exit'));
    sides.forEach((side) => side.end());
    await Promise.all(gone);
    cleanUp();
  }
  const ratio = (of) => of(mixed) / of(full);
  return {
    device,
    name,
    rounds,
    time: ratio((side) => median(side.times.step)),
    cpuTime: ratio((side) => median(side.cpuTimes.step)),
    memory: ratio((side) => side.peakMB('step')),
    peakMB: full.peakMB('step'),
  };
}

/** The last evaluation of the demo's experiment after this many steps, on the first rows of its validation set. */
function train(precision, steps, seed) {
  const validation = join(ROOT, '.cache', STUDY, 'validation.jsonl');
  writeFirstRows('debian-sections-validation', validation, VALIDATION_ROWS);
  const settings = [
    `data.validation=${validation}`,
    `training.maxSteps=${steps}`,
    `training.seed=${seed}`,
    `training.precision=${precision}`,
    `training.evaluateEvery=${steps}`,
    `training.checkpointEvery=${steps}`,
  ];
  return resultOf(keptRun(STUDY, `${precision}-${steps}-${seed}`, settings)).last;
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1];
}
