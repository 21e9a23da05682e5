import { afterEach, expect, it } from 'vitest';
import { sshShell } from '../../src/executors/remote/shell';
import { loginNode, withLogin } from './login-node';

const node = loginNode({ WHERE: 'a real sshd' });
afterEach(() => node.sshd.start());

withLogin('a login node', () => {
  it('runs scripts over one connection', async () => {
    const shell = sshShell(node.sshd.host);
    const before = node.sshd.logins();
    expect(await shell.run('echo "$WHERE"; cat; exit 3', { input: 'input' })).toMatchObject({
      code: 3,
      stdout: 'a real sshd\ninput',
    });
    await Promise.all([shell.run('true'), sshShell(node.sshd.host).run('true')]);
    expect(node.sshd.logins() - before).toBe(1);
  });

  it('that wants a password is refused at once, with the next step', async () => {
    await expect(sshShell(node.sshd.locked).run('true')).rejects.toMatchObject({
      kind: 'network',
      message: expect.stringMatching(/^locked could not be reached by ssh: .*Permission denied/),
      hint: expect.stringContaining('A password is never asked for here.'),
    });
  });

  it('that is off, or goes down while it is used, cannot be reached; later it can', async () => {
    await expect(sshShell(node.sshd.off).run('true')).rejects.toMatchObject({
      kind: 'network',
      message: expect.stringContaining('Connection refused'),
    });
    const shell = sshShell(node.sshd.host);
    const long = expect(shell.run('echo begun; sleep 30; echo ended')).rejects.toMatchObject({
      kind: 'network',
    });
    await shell.run('true');
    await node.sshd.stop();
    await long;
    await expect(shell.run('true')).rejects.toMatchObject({ kind: 'network' });
    await node.sshd.start();
    expect((await shell.run('echo back')).stdout).toBe('back\n');
  });
});
