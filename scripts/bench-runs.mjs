import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from './build.mjs';
import { buildBench, positive } from './lib/bench/cases.mjs';
import { adapters } from './lib/bench/runs/adapters.mjs';
import { lengths } from './lib/bench/runs/lengths.mjs';
import { FOLDER } from './lib/bench/runs/prepare.mjs';
import { PARTS, report } from './lib/bench/runs/report.mjs';
import { share } from './lib/bench/runs/share.mjs';
import { start } from './lib/bench/runs/start.mjs';
import { sweep } from './lib/bench/runs/sweep.mjs';
import { writeSection } from './lib/bench/sections.mjs';
import { bundles, PROGRAMS } from './lib/bundles.mjs';
import { Failure, main, say } from './lib/console.mjs';
import { busy, machine } from './lib/machine.mjs';
import { ensureDependencies } from './lib/setup.mjs';

const CASES = { share, lengths, sweep, start, adapters };
const HELP = `Usage: npm run bench:runs -- [--threads 2] [--rounds 3] [--steps 40] [--case NAME]… [--print]

Whole runs on the CPU: what of a run's time is not the runtime's (share), an epoch on real lengths (lengths), a sweep beside
separate runs (sweep), from Run to the first loss (start), and AuroRA's step beside LoRA's (adapters). With all of them, it
writes its section of docs/benchmarks.md; with --print, prints it.

  --steps N  steps of each trial of the sweep, and of AuroRA and LoRA
`;

await main(async () => {
  const { values } = parseArgs({
    options: {
      threads: { type: 'string', default: '2' },
      rounds: { type: 'string', default: '3' },
      steps: { type: 'string', default: '40' },
      case: { type: 'string', multiple: true },
      print: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const [threads, rounds, steps] = ['threads', 'rounds', 'steps'].map((name) => positive(name, values[name]));
  const unknown = values.case?.find((name) => !Object.hasOwn(CASES, name));
  if (unknown) throw new Failure(`--case ${unknown} is not one of ${Object.keys(CASES).join(', ')}.`);
  ensureDependencies();
  await build();
  await buildBench();
  await buildPrograms();
  const load = await busy();
  const results = {};
  for (const name of values.case ?? Object.keys(CASES)) {
    results[name] = await CASES[name]({ threads, rounds, steps });
    console.log(`\n${PARTS[name](results[name])}\n`);
  }
  if (values.case) return;
  const text = report(results, { machine: machine(), threads, busy: load });
  if (values.print) return void process.stdout.write(`\n${text}\n`);
  await writeSection('runs', text);
  say('Written to docs/benchmarks.md.');
});

/** The program of an epoch reads an experiment file, as `aurora` does. */
async function buildPrograms() {
  const esbuild = await import('esbuild');
  const programs = { epoch: 'bench/epoch.ts', 'schema-validator': PROGRAMS['schema-validator'] };
  const [host] = bundles(join(FOLDER, 'programs'), { programs });
  await esbuild.build(host).catch(() => {
    throw new Failure('The benchmark could not be built; the errors are above.');
  });
}
