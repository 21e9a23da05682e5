import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { positive } from './lib/bench/cases.mjs';
import { buildClusterBench, writeStudy } from './lib/bench/cluster/programs.mjs';
import { Failure, main, say } from './lib/console.mjs';
import { ensureDependencies } from './lib/setup.mjs';

const HELP = `Usage: npm run simulate:cluster -- FOLDER [--trials 1000] [--kind random|grid] [--state finished|rung]

Writes an experiment with a sweep of so many trials of 1,000 steps into FOLDER, as Slurm leaves it: all finished, or all at
the first comparison of successive halving. Nothing is trained; to open it, open FOLDER in VS Code.
`;

await main(async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      trials: { type: 'string', default: '1000' },
      kind: { type: 'string', default: 'random' },
      state: { type: 'string', default: 'finished' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  if (positionals.length !== 1) throw new Failure('Give one folder to write to.');
  const { kind, state } = values;
  if (!['random', 'grid'].includes(kind)) throw new Failure(`--kind ${kind} is neither random nor grid.`);
  if (!['finished', 'rung'].includes(state))
    throw new Failure(`--state ${state} is neither finished nor rung.`);
  const trials = positive('trials', values.trials);
  ensureDependencies();
  await buildClusterBench();
  const folder = resolve(positionals[0]);
  mkdirSync(folder, { recursive: true });
  const { file } = writeStudy(folder, trials, kind, state);
  say(`Written: ${file}`);
});
