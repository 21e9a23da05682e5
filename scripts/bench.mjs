import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
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
import { Contestant, findTorch, torchSide } from './lib/bench/contestant.mjs';
import { Failure, main, say } from './lib/console.mjs';
import { ensureDependencies } from './lib/setup.mjs';
import { profileTable, report, summarize, table } from './lib/bench/report.mjs';
import { writeSection } from './lib/bench/sections.mjs';
import { busy, machine } from './lib/machine.mjs';

const HELP = `Usage: npm run bench -- [--threads 2] [--rounds 12] [--case 6x384:16x128]… [--against DIR]

Times training steps and evaluations of AuroRA Lab, in float32 and in int8, and, if python3 has it, of PyTorch, with the
same encoder, adapters and batch, beside the best rate of the machine's matrix products. They take turns. Then it profiles
the step. With the standard cases and PyTorch, it writes its section of docs/benchmarks.md.

  --against DIR  another checkout of this repository, with its dependencies installed, instead of PyTorch: whether a
                 change has made the step slower
`;
/** Encoder:batch×length. */
const CASES = ['6x384:16x128', '12x768:16x32', '12x768:16x128'];
/**
 * Time limit of one case and process: a slow or busy machine runs fewer rounds.
 */
const SECONDS = { step: 60, evaluate: 20 };
/** The rounds are divided among so many processes of each side. */
const PROCESSES = 3;
/** Warm-up rounds, not counted: first use of memory, caches, clock rates. */
const WARM_UP = 1;
/** Steps of a profile. */
const PROFILED = 5;

await main(async () => {
  const options = benchOptions(HELP, 12);
  if (!options) return;
  const { threads, rounds, cases, against } = options;
  ensureDependencies();
  await buildBench();
  const torch = against ? undefined : findTorch();
  if (against) buildThere(against);
  else if (!torch)
    say('No python3 with torch was found (Debian: python3-torch), so only AuroRA Lab is measured.');
  const load = await busy();
  const results = [];
  for (const name of cases ?? CASES) {
    say(`${name.replace(':', ', batch ')} …`);
    results.push(await runCase(name, threads, rounds, { torch, against }));
  }
  console.log(`\n${table(results, against ?? 'PyTorch')}\n`);
  if (against) return;
  const profiles = (cases ?? CASES).map((name) => profile(name, threads));
  console.log(`${profileTable(profiles)}\n`);
  if (!torch || cases) return;
  await writeSection('training', report(results, profiles, { machine: machine(), threads, busy: load }));
  say('Written to docs/benchmarks.md.');
});

function stepOf(checkout) {
  return join(checkout, '.cache', 'bench', 'step.cjs');
}

/** The distribution of a step's time over operators in a case. */
function profile(name, threads) {
  say(`profile of ${name} …`);
  const args = [join(FOLDER, 'profile.cjs'), prepareCase(name), `${threads}`, `${PROFILED}`];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  cleanUp();
  if (status !== 0) throw new Failure(`The step could not be profiled:\n${stderr}`);
  return { name, operators: JSON.parse(stdout) };
}

/** Each checkout bundles its own sources. */
function buildThere(checkout) {
  // Older checkouts have it elsewhere.
  const path = ['./scripts/lib/bench/cases.mjs', './scripts/lib/bench-cases.mjs'].find((file) =>
    existsSync(join(checkout, file)),
  );
  const build = `import('${path}').then((m) => m.buildBench())`;
  const { status } = spawnSync(process.execPath, ['-e', build], { cwd: checkout, stdio: 'inherit' });
  if (status !== 0 || !existsSync(stepOf(checkout)))
    throw new Failure(`${checkout} could not be built.`, 'Run `npm ci` there first.');
}

/** All sides alternate, so that other load on the machine affects them equally. */
async function runCase(name, threads, rounds, { torch, against }) {
  const path = prepareCase(name);
  const step = join(FOLDER, 'step.cjs');
  const ours = new Contestant('AuroRA Lab', process.execPath, [step, path, `${threads}`]);
  const limit = new Contestant('Limit', process.execPath, [join(FOLDER, 'product.cjs'), path, `${threads}`]);
  limit.command = 'product';
  const inInt8 = [step, path, `${threads}`, 'onnxruntime:cpu', 'int8'];
  const int8 = against ? undefined : new Contestant('int8', process.execPath, inInt8);
  const other = torch
    ? torchSide('PyTorch', torch, [path, `${threads}`])
    : against && new Contestant(against, process.execPath, [stepOf(against), path, `${threads}`]);
  const sides = [ours, int8, other, limit].filter(Boolean);
  const each = (all) => ({ warmUp: WARM_UP, rounds: Math.ceil(all / PROCESSES), twice: true });
  let counted = 0;
  try {
    await inNewProcesses(PROCESSES, sides, async () => {
      counted += await takeTurns(sides, 'step', { ...each(rounds), seconds: SECONDS.step });
      await takeTurns(sides, 'evaluate', { ...each(rounds / 2), seconds: SECONDS.evaluate });
    });
    return summarize(name, counted, { ours, int8, other, limit });
  } finally {
    cleanUp();
  }
}
