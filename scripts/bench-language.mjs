import { join } from 'node:path';
import { benchOptions, takeTurns } from './lib/bench/cases.mjs';
import { Contestant } from './lib/bench/contestant.mjs';
import { buildLanguage, FOLDER, generationExperiment, packingCases } from './lib/bench/language-cases.mjs';
import {
  generationResult,
  generationTable,
  packingResult,
  packingTable,
  report,
} from './lib/bench/language-report.mjs';
import { writeSection } from './lib/bench/sections.mjs';
import { Failure, main, say } from './lib/console.mjs';
import { busy, machine, quiet } from './lib/machine.mjs';
import { ensureDependencies } from './lib/setup.mjs';

const HELP = `Usage: npm run bench:language -- [--threads 2] [--rounds 3] [--case packing|generation]…

Times a language model's training steps with random batches, groupByLength and packing, and its writing of texts with and
without a key/value cache. The ways take turns. With both cases and no more than a tenth of the CPUs used by other
programs, it writes its section of docs/benchmarks.md.
`;
const CASES = { packing, generation };
/** Training steps of each way. */
const STEPS = 12;
/** The largest share of the CPUs that other programs may use, and how long to wait for it. */
const QUIET = 0.1;
const WAIT_MS = 60_000;

await main(async () => {
  const options = benchOptions(HELP, 3);
  if (!options) return;
  const { threads, rounds, cases = Object.keys(CASES) } = options;
  const unknown = cases.find((name) => !Object.hasOwn(CASES, name));
  if (unknown !== undefined)
    throw new Failure(`--case ${unknown} is not one of ${Object.keys(CASES).join(', ')}.`);
  ensureDependencies();
  await buildLanguage();
  const results = {};
  let load = 0;
  for (const name of cases) {
    say(`Waiting up to a minute for other programs to become idle (${name}) …`);
    const before = await quiet(QUIET, WAIT_MS);
    results[name] = await CASES[name](threads, rounds);
    load = Math.max(load, before, await busy());
  }
  if (options.cases) return;
  if (load > QUIET)
    return say(
      `Not written: other programs used ${Math.round(100 * load)}% of the CPUs, and at most ${Math.round(100 * QUIET)}% is quiet enough.`,
    );
  await writeSection('language', report(results, { machine: machine(), threads, load }));
  say('Written to docs/benchmarks.md.');
});

async function packing(threads, rounds) {
  const results = [];
  for (const texts of packingCases()) {
    say(`Packing: ${texts.what} …`);
    const programs = texts.sides.map(({ name, experiment }) => ({
      name,
      args: ['epoch.cjs', experiment, `${threads}`, `${STEPS}`],
    }));
    results.push(
      await withSides(programs, async (sides) => {
        // Every side trains all of its steps, however long they take: they are of different sizes.
        await takeTurns(sides, 'step', { warmUp: 0, rounds: rounds * STEPS, seconds: Infinity });
        return packingResult(texts, rounds, sides);
      }),
    );
    console.log(`\n${packingTable(results.slice(-1))}\n`);
  }
  return results;
}

async function generation(threads, rounds) {
  const experiment = generationExperiment();
  const programs = ['cache', 'no-cache'].map((name) => ({
    name,
    args: ['generation.cjs', experiment, `${threads}`, name],
  }));
  say('Generation …');
  const result = await withSides(programs, async (sides) => {
    for (const command of ['greedy', 'beams'])
      await takeTurns(sides, command, { warmUp: 0, rounds, seconds: Infinity });
    return generationResult(rounds, sides);
  });
  console.log(`\n${generationTable(result)}\n`);
  return result;
}

/** Each side is a program of the folder, in a separate process. */
async function withSides(programs, measure) {
  const sides = programs.map(
    ({ name, args: [program, ...args] }) =>
      new Contestant(name, process.execPath, [join(FOLDER, program), ...args]),
  );
  try {
    for (const side of sides) await side.start();
    return await measure(sides);
  } finally {
    sides.forEach((side) => side.end());
  }
}
