import { join } from 'node:path';
import {
  benchOptions,
  buildBench,
  cleanUp,
  FOLDER,
  inNewProcesses,
  prepareCase,
  takeTurns,
} from './lib/bench/cases.mjs';
import { report, summarize, table } from './lib/bench/memory-report.mjs';
import { writeSection } from './lib/bench/sections.mjs';
import { Failure, main, say } from './lib/console.mjs';
import { Contestant } from './lib/bench/contestant.mjs';
import { machine } from './lib/machine.mjs';
import { ensureDependencies } from './lib/setup.mjs';

const HELP = `Usage: npm run bench:memory -- [--threads 2] [--rounds 8] [--case 6x384:16x128]…

Measures peak memory and time of a training step: with the whole batch at once, as by default, with gradient checkpointing,
with the batch in small parts, and in int8, with the same encoder, adapters and batch. The variants take turns. With the standard cases, it writes its section of
docs/benchmarks.md.
`;
/** Encoder:batch×length. */
const CASES = ['6x384:16x128', '12x768:16x32', '12x768:16x128'];
/** Ways to run one step, each in a separate process; the first is the baseline. */
const WAYS = [
  { way: 'whole', name: 'the whole batch' },
  { way: 'default', name: 'by default' },
  { way: 'checkpointing', name: 'checkpointing' },
  { way: '4', name: 'micro-batches of 4' },
  { way: '1', name: 'micro-batches of 1' },
  { way: 'int8', name: 'int8' },
];
/** Time limit of one case and process for all ways together. */
const SECONDS = 60;
/** The rounds are divided among so many processes of each way. */
const PROCESSES = 2;
const WARM_UP = 1;

await main(async () => {
  const options = benchOptions(HELP, 8);
  if (!options) return;
  const { threads, rounds, cases } = options;
  ensureDependencies();
  await buildBench();
  const results = [];
  for (const name of cases ?? CASES) {
    say(`${name.replace(':', ', batch ')} …`);
    results.push(await runCase(name, threads, rounds));
    console.log(`\n${table(results.slice(-1))}\n`);
  }
  if (cases) return;
  await writeSection('memory', report(results, machine(), threads));
  say('Written to docs/benchmarks.md.');
});

/** All ways alternate, so that other load on the machine affects all of them equally. */
async function runCase(name, threads, rounds) {
  const path = prepareCase(name);
  const program = join(FOLDER, 'step.cjs');
  const sides = WAYS.map((w) => ({
    ...w,
    contestant: new Contestant(w.name, process.execPath, [
      program,
      path,
      `${threads}`,
      'onnxruntime:cpu',
      w.way,
    ]),
  }));
  const contestants = sides.map((side) => side.contestant);
  let counted = 0;
  try {
    await inNewProcesses(PROCESSES, contestants, async () => {
      for (const { name: way, about } of contestants)
        if (!about.ready) throw new Failure(`${name}, ${way}: ${about.problem}`);
      const each = { warmUp: WARM_UP, rounds: Math.ceil(rounds / PROCESSES), seconds: SECONDS, twice: true };
      counted += await takeTurns(contestants, 'step', each);
    });
    return summarize(name, counted, sides);
  } finally {
    cleanUp();
  }
}
