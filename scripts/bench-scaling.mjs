import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { FOLDER, positive } from './lib/bench/cases.mjs';
import { buildPrograms } from './lib/bench/programs.mjs';
import { AXES, report, slopes, table } from './lib/bench/scaling-report.mjs';
import { writeSection } from './lib/bench/sections.mjs';
import { Failure, main, say } from './lib/console.mjs';
import { busy, machine } from './lib/machine.mjs';
import { ROOT } from './lib/run.mjs';
import { ensureDependencies } from './lib/setup.mjs';

const HELP = `Usage: npm run bench:scaling -- [--threads 2] [--rounds 15] [--axis NAME]…

With which power a step's time on the CPU grows with ${Object.keys(AXES).join(', ')},
beside the power with which its FLOPs grow. With all of them, it writes its section of docs/benchmarks.md.
`;

await main(async () => {
  const { values } = parseArgs({
    options: {
      threads: { type: 'string', default: '2' },
      rounds: { type: 'string', default: '15' },
      axis: { type: 'string', multiple: true },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const [threads, rounds] = ['threads', 'rounds'].map((name) => positive(name, values[name]));
  const unknown = values.axis?.find((axis) => !Object.hasOwn(AXES, axis));
  if (unknown) throw new Failure(`--axis ${unknown} is not one of ${Object.keys(AXES).join(', ')}.`);
  ensureDependencies();
  await buildPrograms(['scaling'], ['onnxruntime-node', 'webgpu']);
  const load = await busy();
  const results = (values.axis ?? Object.keys(AXES)).map((axis) => {
    say(`${AXES[axis]} …`);
    const args = [join(FOLDER, 'scaling.cjs'), axis, `${threads}`, `${rounds}`];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
    if (status !== 0) throw new Failure(`${axis} could not be measured:\n${stderr}`);
    return slopes(axis, JSON.parse(stdout));
  });
  console.log(`\n${table(results)}\n`);
  if (values.axis) return;
  await writeSection('scaling', report(results, { machine: machine(), threads, rounds, busy: load }));
  say('Written to docs/benchmarks.md.');
});
