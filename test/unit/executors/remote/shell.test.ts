import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { localShell, sshShell } from '../../../../src/executors/remote/shell';
import { scratchFolder } from '../../../scratch';

describe.skipIf(process.platform === 'win32')("this machine's shell", () => {
  it('runs a script and returns its output, errors and exit code', async () => {
    expect(await localShell().run('echo out; echo err >&2; exit 3')).toEqual({
      code: 3,
      stdout: 'out\n',
      stderr: 'err\n',
    });
  });

  it('passes bytes to the script, and returns a long output whole', async () => {
    const input = 'x'.repeat(3_000_000);
    expect(await localShell().run('cat', { input })).toMatchObject({ code: 0, stdout: input });
    expect(await localShell().run('true', { input })).toMatchObject({ code: 0, stdout: '' });
  });

  it('ends a script that does not respond', async () => {
    await expect(localShell().run('exec sleep 60', { timeoutMs: 100 })).rejects.toMatchObject({
      kind: 'network',
      message: 'This machine did not respond within 0 s.',
    });
  });
});

/** A stand-in for ssh that runs the command as a login shell does; the real sshd is in test/cluster. */
describe.skipIf(process.platform === 'win32')('a shell by ssh', () => {
  const bin = scratchFolder('ssh');
  const ssh = (script: string) => {
    writeFileSync(join(bin, 'ssh'), `#!/bin/sh\n[ "$1" = -G ] && exit 0\n${script}\n`);
    chmodSync(join(bin, 'ssh'), 0o755);
  };
  const RUN = 'for command; do :; done\necho "Welcome"\nexec sh -c "$command"';

  beforeEach(() => {
    mkdirSync(join(bin, 'run'), { recursive: true });
    vi.stubEnv('PATH', `${bin}${delimiter}${process.env.PATH}`);
    vi.stubEnv('XDG_RUNTIME_DIR', join(bin, 'run'));
  });
  afterEach(() => void vi.unstubAllEnvs());

  it('leaves out what the login shell prints, and passes bytes after the script', async () => {
    ssh(RUN);
    const input = Uint8Array.from([0, 255, 10, 128]);
    const { code, stdout } = await sshShell('login').run(`od -An -tu1; echo "it's"; exit 4`, { input });
    expect({ code, stdout: stdout.replaceAll(/ +/g, ' ') }).toEqual({
      code: 4,
      stdout: " 0 255 10 128\nit's\n",
    });
  });

  it('never asks for a password, and reuses one connection', async () => {
    ssh(`printf '%s\\n' "$@" > ${join(bin, 'arguments')}\n${RUN}`);
    await sshShell('login').run('true');
    const { stdout } = await localShell().run(`cat ${join(bin, 'arguments')}`);
    expect(stdout).toMatch(/^BatchMode=yes$/m);
    expect(stdout).toMatch(/^ControlMaster=auto$/m);
    expect(stdout).toMatch(new RegExp(`^ControlPath=${bin}/run/aurora-ssh-\\d+/[0-9a-f]{12}$`, 'm'));
  });

  it("leaves the user's own connection as it is configured", async () => {
    ssh(`printf '%s\\n' "$@" > ${join(bin, 'arguments')}\n${RUN}`);
    writeFileSync(
      join(bin, 'ssh'),
      `#!/bin/sh\n[ "$1" = -G ] && { echo controlpath /home/me/socket; exit; }\nprintf '%s\\n' "$@" > ${join(bin, 'arguments')}\n${RUN}\n`,
    );
    await sshShell('login').run('true');
    const { stdout } = await localShell().run(`cat ${join(bin, 'arguments')}`);
    expect(stdout).not.toMatch(/Control(Path|Master)/);
  });

  it.each([
    ['me@login: Permission denied (publickey,password).', /ssh-add/],
    ['Host key verification failed.', /check the host's key/],
    ['ssh: connect to host login port 22: Connection refused', /Check that `ssh login` works/],
  ])('says why a host cannot be reached: %s', async (reason, hint) => {
    ssh(`echo '${reason}' >&2; exit 255`);
    await expect(sshShell('login').run('true')).rejects.toMatchObject({
      kind: 'network',
      message: `login could not be reached by ssh: ${reason.replace(/\.$/, '')}.`,
      hint: expect.stringMatching(hint) as string,
    });
  });

  it.each(['-oProxyCommand=touch x', '', 'a b', 'a\nb', 'me@-x', '$(x)', '`x`', 'a;x', 'a|x'])(
    'refuses %j as a host',
    (host) => {
      expect(() => sshShell(host)).toThrow(/is not the name of a host/);
    },
  );
});
