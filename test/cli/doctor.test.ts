import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { CLI, Lab } from './lab';
import { until } from '../until';

const lab = new Lab();
afterAll(() => lab.remove());

/** Processes that measure a device with graphs below `folder`. */
const measuring = (folder: string): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        return command.includes('--place') && command.includes(folder);
      } catch {
        return false;
      }
    })
    .map(Number);

describe.runIf(process.platform === 'linux')('a machine check that is ended', () => {
  it.each(['SIGTERM', 'SIGKILL'] as const)('with %s leaves no process', async (signal) => {
    const folder = lab.fresh(signal);
    mkdirSync(folder);
    const env = { ...process.env, TMPDIR: folder };
    const child = spawn(process.execPath, [CLI, 'doctor', '--seconds', '120'], { env, stdio: 'ignore' });
    const end = new Promise((done) => child.once('close', done));
    const graphs = () => readdirSync(folder).filter((name) => name.startsWith('.aurora-doctor.'));
    // The graph is written and a separate process is measuring with it.
    await until(
      () =>
        graphs().some((name) => readdirSync(join(folder, name)).length > 0) && measuring(folder).length === 1,
    );
    child.kill(signal);
    await end;
    await until(() => measuring(folder).length === 0);
    // Nothing can clean up after a SIGKILL.
    if (signal === 'SIGTERM') expect(graphs()).toEqual([]);
  });
});
