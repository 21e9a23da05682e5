import { build } from './build.mjs';
import { benchOptions, buildBench } from './lib/bench/cases.mjs';
import { findTorch } from './lib/bench/contestant.mjs';
import { report, table } from './lib/bench/devices-report.mjs';
import { runCase } from './lib/bench/devices-run.mjs';
import { writeSection } from './lib/bench/sections.mjs';
import { main, say } from './lib/console.mjs';
import { lookAtAdapter } from './lib/gpu/hardware.mjs';
import { machine } from './lib/machine.mjs';
import { ensureDependencies } from './lib/setup.mjs';

const HELP = `Usage: npm run bench:devices -- [--threads 2] [--rounds 10] [--case 6x384:16x128]…

Times a training step on each engine and device of this machine, and PyTorch's on the same GPU, with the same encoder,
adapters and batch. They take turns. With the standard cases, it writes its section of docs/benchmarks.md.
`;
/** With a GPU, the same as the other benchmark; without one, what a software renderer does in minutes. */
const CASES = { card: ['6x384:16x128', '12x768:16x128'], none: ['6x384:4x32'] };
/** Time limit of one case for all sides together. */
const SECONDS = 150;

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
    results.push(await runCase(name, torch, { threads, rounds, seconds: SECONDS }));
    console.log(`\n${table(results.at(-1))}\n`);
  }
  if (cases) return;
  await writeSection('devices', report(results, { machine: machine(), threads, adapter }));
  say('Written to docs/benchmarks.md.');
});
