import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Failure, say } from '../../console.mjs';
import { cpuSeconds } from '../../machine.mjs';
import { ROOT } from '../../run.mjs';
import { AURORA, DEMO, FOLDER, onlyRun, readCurve } from './prepare.mjs';

const LOOK_MS = 5;

/** Seconds from starting `aurora train` on the demo to its first loss, with an empty cache folder and with what that run has left. */
export async function start({ rounds }) {
  const found = { first: [], second: [] };
  for (let i = 0; i < rounds; i++) {
    say(`Start: ${i + 1} of ${rounds} …`);
    const folder = mkdtempSync(join(FOLDER, 'start-'));
    try {
      for (const which of ['first', 'second'])
        found[which].push(await untilFirstLoss(join(folder, which), join(folder, 'cache')));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return found;
}

async function untilFirstLoss(out, cache) {
  const began = Date.now();
  const child = spawn(process.execPath, [AURORA, 'train', DEMO, '--out', out, '--device', 'cpu'], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, XDG_CACHE_HOME: cache },
  });
  let errors = '';
  child.stderr.on('data', (chunk) => (errors += chunk));
  const ended = new Promise((resolve) => child.once('exit', resolve));
  while (!hasStepped(out)) {
    if (child.exitCode !== null) throw new Failure(`aurora train ended before its first step:\n${errors}`);
    await wait(LOOK_MS);
  }
  const cpu = cpuSeconds(child.pid);
  const [{ time }] = readCurve(onlyRun(out));
  child.kill('SIGKILL');
  await ended;
  return { seconds: (time - began) / 1000, cpu };
}

function hasStepped(out) {
  const run = onlyRun(out);
  const curve = run && join(run, 'scalars.bin');
  return curve && existsSync(curve) && statSync(curve).size > 0 && existsSync(join(run, 'scalars.json'));
}
