import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cleanUp, FOLDER, positive } from './lib/bench/cases.mjs';
import { report } from './lib/bench/opening-report.mjs';
import { buildPrograms } from './lib/bench/programs.mjs';
import { writeSection } from './lib/bench/sections.mjs';
import { Failure, main, say } from './lib/console.mjs';
import { busy, machine } from './lib/machine.mjs';
import { ROOT } from './lib/run.mjs';
import { ensureDependencies } from './lib/setup.mjs';

const HELP = `Usage: npm run bench:opening -- [--threads 2] [--rounds 7] [--print]

Opens a model of 500 MB for training, beside reading its file, in turns: time and extra memory (Linux). Writes its section
of docs/benchmarks.md; with --print, prints it. Needs 0.5 GB of disk.
`;

await main(async () => {
  const { values } = parseArgs({
    options: {
      threads: { type: 'string', default: '2' },
      rounds: { type: 'string', default: '7' },
      print: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const [threads, rounds] = ['threads', 'rounds'].map((name) => positive(name, values[name]));
  if (process.platform !== 'linux')
    throw new Failure('Memory without mapped files is known on Linux only.', 'Run this on Linux.');
  ensureDependencies();
  await buildPrograms(['opening'], ['onnxruntime-node', 'webgpu']);
  mkdirSync(FOLDER, { recursive: true });
  const path = join(FOLDER, '14x768.onnx');
  run('make', path, threads);
  const load = await busy();
  // Both find the file in the page cache.
  run('read', path, threads);
  const measured = [];
  for (let i = 0; i < rounds; i++) {
    say(`round ${i + 1} of ${rounds} …`);
    measured.push({ read: run('read', path, threads), open: run('open', path, threads) });
  }
  cleanUp();
  const text = report(measured, { machine: machine(), threads, busy: load });
  if (values.print) return void process.stdout.write(`\n${text}\n`);
  await writeSection('opening', text);
  say('Written to docs/benchmarks.md.');
});

/** Each in a new process, whose memory is its own. */
function run(action, path, threads) {
  const args = [join(FOLDER, 'opening.cjs'), action, path, `${threads}`];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
  if (status !== 0) throw new Failure(`The model could not be opened (${action}):\n${stderr}`);
  return JSON.parse(stdout);
}
