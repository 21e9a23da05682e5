import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { FOLDER, positive } from './lib/bench/cases.mjs';
import { report } from './lib/bench/experts-report.mjs';
import { buildPrograms } from './lib/bench/programs.mjs';
import { writeSection } from './lib/bench/sections.mjs';
import { Failure, main, say } from './lib/console.mjs';
import { busy, machine } from './lib/machine.mjs';
import { ROOT } from './lib/run.mjs';
import { ensureDependencies } from './lib/setup.mjs';

const HELP = `Usage: npm run bench:moe -- [--threads 2] [--rounds 20] [--print]

A training step of a mixture of 8 experts, of which each token has 2, beside a dense model with as many parameters for each token,
in turns. Writes its section of docs/benchmarks.md; with --print, prints it.
`;

await main(async () => {
  const { values } = parseArgs({
    options: {
      threads: { type: 'string', default: '2' },
      rounds: { type: 'string', default: '20' },
      print: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const [threads, rounds] = ['threads', 'rounds'].map((name) => positive(name, values[name]));
  ensureDependencies();
  await buildPrograms(['experts'], ['onnxruntime-node', 'webgpu']);
  const load = await busy();
  const args = [join(FOLDER, 'experts.cjs'), `${threads}`, `${rounds}`];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
  if (status !== 0) throw new Failure(`The models could not be measured:\n${stderr}`);
  const text = report(JSON.parse(stdout), { machine: machine(), threads, rounds, busy: load });
  if (values.print) return void process.stdout.write(`\n${text}\n`);
  await writeSection('experts', text);
  say('Written to docs/benchmarks.md.');
});
