import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { benchOptions, buildBench, cleanUp, FOLDER, prepareCase, takeTurns } from './lib/bench/cases.mjs';
import { Contestant, findTorch, torchSide } from './lib/bench/contestant.mjs';
import { Failure, main, say } from './lib/console.mjs';
import { ensureDependencies } from './lib/setup.mjs';
import { report, summarize, table } from './lib/bench/report.mjs';
import { writeSection } from './lib/bench/sections.mjs';
import { machine } from './lib/machine.mjs';

const HELP = `Usage: npm run bench -- [--threads 2] [--rounds 12] [--case 6x384:16x128]… [--against DIR]

Times training steps and evaluations of AuroRA Lab and, if python3 has it, of PyTorch, with the same encoder, adapters
and batch. They take turns. With the standard cases and PyTorch, it writes its section of docs/benchmarks.md.

  --against DIR  another checkout of this repository, with its dependencies installed, instead of PyTorch: whether a
                 change has made the step slower
`;
/** Encoder:batch×length. */
const CASES = ['6x384:16x128', '12x768:16x32', '12x768:16x128'];
/**
 * Time limit of one case: a slow or busy machine runs fewer rounds, so that the whole run takes under eight minutes.
 */
const SECONDS = { step: 85, evaluate: 30 };
/** Warm-up rounds, not counted: first use of memory, caches, clock rates. */
const WARM_UP = 2;

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
  const results = [];
  for (const name of cases ?? CASES) {
    say(`${name.replace(':', ', batch ')} …`);
    results.push(await runCase(name, threads, rounds, { torch, against }));
  }
  console.log(`\n${table(results, against ?? 'PyTorch')}\n`);
  if (!torch || cases) return;
  await writeSection('training', report(results, machine(), threads));
  say('Written to docs/benchmarks.md.');
});

function stepOf(checkout) {
  return join(checkout, '.cache', 'bench', 'step.cjs');
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

/** Both sides alternate, so that other load on the machine affects both equally. */
async function runCase(name, threads, rounds, { torch, against }) {
  const path = prepareCase(name);
  const sides = [
    new Contestant('AuroRA Lab', process.execPath, [join(FOLDER, 'step.cjs'), path, `${threads}`]),
  ];
  if (torch) sides.push(torchSide('PyTorch', torch, [path, `${threads}`]));
  if (against) sides.push(new Contestant(against, process.execPath, [stepOf(against), path, `${threads}`]));
  try {
    for (const side of sides) await side.ready();
    const counted = await takeTurns(sides, 'step', { warmUp: WARM_UP, rounds, seconds: SECONDS.step });
    await takeTurns(sides, 'evaluate', {
      warmUp: 1,
      rounds: Math.ceil(rounds / 2),
      seconds: SECONDS.evaluate,
    });
    return summarize(name, counted, sides);
  } finally {
    sides.forEach((side) => side.end());
    cleanUp();
  }
}
