import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Failure, say } from '../console.mjs';
import { cpuSeconds } from '../machine.mjs';
import { isDone, ROOT } from '../run.mjs';

/** Trains on the few rows, then twice on all of them, with a separate cache folder. @param {{few: string, all: string}} experiments */
export async function trained({ few, all }, folder) {
  const runs = {};
  for (const [name, experiment] of Object.entries({ few, first: all, second: all })) {
    say(`Training: ${name} …`);
    runs[name] = await train(experiment, join(folder, `run-${name}`), folder);
  }
  return runs;
}

async function train(experiment, out, folder) {
  mkdirSync(out);
  const began = performance.now();
  const child = spawn(
    process.execPath,
    [join(ROOT, 'dist/cli.cjs'), 'train', experiment, '--out', out, '--device', 'cpu', '--threads', '2'],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, XDG_CACHE_HOME: join(folder, 'cache') },
    },
  );
  const ended = new Promise((resolve) => child.once('exit', resolve));
  let code;
  void ended.then((c) => (code = c));
  let first;
  while (code === undefined) {
    if (!first && hasStepped(out))
      first = { seconds: (performance.now() - began) / 1000, cpu: cpuSeconds(child.pid) };
    await wait(20);
  }
  if (!isDone(code)) throw new Failure(`aurora train ended with ${code}.`);
  const [run] = readdirSync(out);
  const { peakMemory } = JSON.parse(readFileSync(join(out, run, 'result.json'), 'utf8'));
  return { firstStep: first, peakMB: peakMemory / 1e6 };
}

/** True if a run there has recorded its first step. */
function hasStepped(out) {
  const scalars = readdirSync(out).map((run) => join(out, run, 'scalars.bin'));
  return scalars.some((path) => existsSync(path) && statSync(path).size > 0);
}
