import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { build } from './build.mjs';
import { benchOptions, buildBench, cleanUp, FOLDER, prepareCase, takeTurns } from './lib/bench/cases.mjs';
import { report, summarize, table } from './lib/bench/devices-report.mjs';
import { writeSection } from './lib/bench/sections.mjs';
import { main, say } from './lib/console.mjs';
import { Contestant, findTorch, torchSide } from './lib/bench/contestant.mjs';
import { machine } from './lib/machine.mjs';
import { ROOT } from './lib/run.mjs';
import { ensureDependencies } from './lib/setup.mjs';

const HELP = `Usage: npm run bench:devices -- [--threads 2] [--rounds 10] [--case 6x384:16x128]…

Times a training step on each engine and device of this machine, and PyTorch's on the same GPU, with the same encoder,
adapters and batch. They take turns. With the standard cases, it writes its section of docs/benchmarks.md.
`;
/** With a GPU, the same as the other benchmark; without one, what a software renderer does in minutes. */
const CASES = { card: ['6x384:16x128', '12x768:16x128'], none: ['6x384:4x32'] };
/** Time limit of one case for all sides together. */
const SECONDS = 150;
const WARM_UP = 2;

/** Compute engine, its name, and the owner of the device. */
const SIDES = [
  { name: 'ONNX Runtime, cpu', place: 'onnxruntime:cpu', on: 'cpu' },
  { name: 'ONNX Runtime, webgpu', place: 'onnxruntime:webgpu', on: 'gpu' },
  { name: 'ONNX Runtime, cuda', place: 'onnxruntime:cuda', on: 'gpu' },
  { name: 'TensorFlow.js, wasm', place: 'tfjs:wasm', on: 'cpu' },
  { name: 'TensorFlow.js, webgpu', place: 'tfjs:webgpu', on: 'gpu' },
  { name: 'TensorFlow.js, tensorflow', place: 'tfjs:tensorflow', on: 'gpu' },
  { name: 'PyTorch, cpu', torch: 'cpu', on: 'cpu' },
  { name: 'PyTorch, cuda', torch: 'cuda', on: 'gpu' },
];

await main(async () => {
  const options = benchOptions(HELP, 10);
  if (!options) return;
  const { threads, rounds, cases } = options;
  ensureDependencies();
  await build();
  await buildBench();
  const torch = findTorch();
  const adapter = lookAtAdapter();
  const card = adapter !== undefined && !adapter.software;
  const results = [];
  for (const name of cases ?? CASES[card ? 'card' : 'none']) {
    say(`${name.replace(':', ', batch ')} …`);
    results.push(await runCase(name, threads, rounds, torch));
    console.log(`\n${table(results.at(-1))}\n`);
  }
  if (cases) return;
  await writeSection('devices', report(results, { machine: machine(), threads, adapter }));
  say('Written to docs/benchmarks.md.');
});

/** The GPU that WebGPU uses, queried in a separate process; undefined if there is none. */
function lookAtAdapter() {
  const asked = spawnSync(process.execPath, [join(ROOT, 'dist', 'cli.cjs'), 'doctor', '--adapter'], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  const line = asked.stdout?.split('\n').findLast((l) => l.startsWith('{'));
  return line && JSON.parse(line).adapter;
}

/** All sides alternate, so that other load on the machine affects all of them equally. */
async function runCase(name, threads, rounds, torch) {
  const path = prepareCase(name);
  const tried = SIDES.filter((side) => side.place || torch).map((side) => ({
    ...side,
    contestant: side.place
      ? new Contestant(side.name, process.execPath, [
          join(FOLDER, 'step.cjs'),
          path,
          `${threads}`,
          side.place,
        ])
      : torchSide(side.name, torch, [path, `${threads}`, side.torch]),
  }));
  try {
    const absent = [];
    const sides = [];
    for (const side of tried) {
      // One at a time: preparing uses every core.
      const crashed = await side.contestant.ready().catch(() => true);
      const { ready, problem = 'its process crashed' } = side.contestant.about;
      if (ready && !crashed) sides.push(side);
      else absent.push({ name: side.name, problem });
    }
    const counted = await takeTurns(
      sides.map((side) => side.contestant),
      'step',
      { warmUp: WARM_UP, rounds, seconds: SECONDS },
    );
    return summarize(name, counted, sides, absent);
  } finally {
    tried.forEach(({ contestant }) => contestant.end());
    cleanUp();
  }
}
