import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { sshShell } from '../../src/executors/slurm/shell';
import { startSshd, type Sshd } from './sshd';

let sshd: Sshd;
const folder = mkdtempSync(join(tmpdir(), 'a-'));
beforeAll(async () => {
  sshd = await startSshd(folder, { WHERE: 'a real sshd' });
  for (const [name, value] of Object.entries(sshd.env)) vi.stubEnv(name, value);
});
afterEach(() => sshd.start().catch(() => undefined));
afterAll(async () => {
  await sshd.stop();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

describe('a login node', () => {
  it('runs scripts over one connection', async () => {
    const shell = sshShell(sshd.host);
    const before = sshd.logins();
    expect(await shell.run('echo "$WHERE"; cat; exit 3', { input: 'input' })).toMatchObject({
      code: 3,
      stdout: 'a real sshd\ninput',
    });
    await Promise.all([shell.run('true'), sshShell(sshd.host).run('true')]);
    expect(sshd.logins() - before).toBe(1);
  });

  it('that wants a password is refused at once, with the next step', async () => {
    await expect(sshShell(sshd.locked).run('true')).rejects.toMatchObject({
      kind: 'network',
      message: expect.stringMatching(/^locked could not be reached by ssh: .*Permission denied/),
      hint: expect.stringContaining('A password is never asked for here.'),
    });
  });

  it('that is off, or goes down while it is used, cannot be reached; later it can', async () => {
    await expect(sshShell(sshd.off).run('true')).rejects.toMatchObject({
      kind: 'network',
      message: expect.stringContaining('Connection refused'),
    });
    const shell = sshShell(sshd.host);
    const long = expect(shell.run('echo begun; sleep 30; echo ended')).rejects.toMatchObject({
      kind: 'network',
    });
    await shell.run('true');
    await sshd.stop();
    await long;
    await expect(shell.run('true')).rejects.toMatchObject({ kind: 'network' });
    await sshd.start();
    expect((await shell.run('echo back')).stdout).toBe('back\n');
  });
});
