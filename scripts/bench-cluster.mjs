import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from './build.mjs';
import { positive } from './lib/bench/cases.mjs';
import { buildClusterBench, measureCase, measureCommand, writeStudy } from './lib/bench/cluster/programs.mjs';
import { clusterReport } from './lib/bench/cluster/report.mjs';
import { writeSection } from './lib/bench/sections.mjs';
import { Failure, main, say } from './lib/console.mjs';
import { busy, machine } from './lib/machine.mjs';
import { ensureDependencies } from './lib/setup.mjs';

const HELP = `Usage: npm run bench:cluster -- [--trials N]… [--case NAME]… [--folder DIR] [--print]

Sweeps of 100, 1,000 and 10,000 simulated trials of 1,000 steps: how long listing, studies, the editor, the queue and the
collection of run folders take, and their memory. With all cases and sizes, it writes its section of docs/benchmarks.md;
with --print, prints it. Needs 8 GB in DIR (by default the system's temporary folder).
`;
const SIZES = [100, 1000, 10_000];

/** Each gets a study that no case before it has changed in what it measures. */
const CASES = {
  runs: (study) => measureCommand(['runs', study.file], study),
  study: (study) => measureCommand(['study', study.file], study),
  sweep: (study) => measureCommand(['sweep', study.file], study),
  queue: (study) => measureCase('queue', study.folder, study),
  experiment: (study) => measureCase('experiment', study.folder, study),
  panel: (study) => measureCase('study', study.folder, study),
  tree: (study) => measureCase('tree', study.folder, study),
  collect: (study) => measureCase('collect', study.folder, study),
  rung: (study) => measureCommand(['sweep', study.file, '--no-wait'], study),
};

await main(async () => {
  const { values } = parseArgs({
    options: {
      trials: { type: 'string', multiple: true },
      case: { type: 'string', multiple: true },
      folder: { type: 'string', default: tmpdir() },
      print: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const sizes = values.trials?.map((text) => positive('trials', text)) ?? SIZES;
  const names = values.case ?? Object.keys(CASES);
  const unknown = names.find((name) => !Object.hasOwn(CASES, name));
  if (unknown) throw new Failure(`--case ${unknown} is not one of ${Object.keys(CASES).join(', ')}.`);
  ensureDependencies();
  await build();
  await buildClusterBench();
  const others = await busy();
  const results = {};
  for (const trials of sizes) {
    for (const state of ['finished', 'rung']) {
      const some = names.filter((name) => (name === 'rung') === (state === 'rung'));
      if (some.length > 0) measure(some, trials, state, values.folder, results);
    }
  }
  const date = new Date().toISOString().slice(0, 10);
  const text = clusterReport(results, sizes, { machine: machine(), others, date });
  console.log(`\n${text}`);
  if (values.print || values.case || values.trials) return;
  await writeSection('cluster', text);
  say('Written to docs/benchmarks.md.');
});

function measure(names, trials, state, within, results) {
  const folder = mkdtempSync(join(within, 'aurora-cluster-'));
  try {
    say(`Writing ${trials} trials (${state}) …`);
    const study = { folder, ...writeStudy(folder, trials, 'random', state) };
    for (const name of names) {
      say(`Measuring ${name} …`);
      (results[name] ??= {})[trials] = CASES[name](study);
      console.log(JSON.stringify(results[name][trials]));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
