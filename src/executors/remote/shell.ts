import { AuroraError } from '../../base/errors';
import { runChild, type ChildOptions, type Output } from './child';
import { checkHost, sshError, sshOptions } from './ssh';

export type ShellOptions = Partial<Pick<ChildOptions, 'input' | 'timeoutMs' | 'mostBytes'>>;

/** The place where Slurm's commands run: this machine, or a login node. */
export interface ClusterShell {
  /** For messages: "this machine", or the host. */
  readonly name: string;
  /**
   * Runs a script of `/bin/sh`. Names in it are the caller's to quote (`clusterQuote`).
   *
   * @returns whatever its exit code is
   * @throws AuroraError 'network' if the host cannot be reached, asks for a password, does not answer in time, or prints
   *   without end
   */
  run(script: string, options?: ShellOptions): Promise<Output>;
}

/** Longer than a busy scheduler takes, and than ssh takes to connect. */
const TIMEOUT_MS = 60_000;

export const localShell = (): ClusterShell => ({
  name: 'this machine',
  async run(script, { timeoutMs = TIMEOUT_MS, ...options } = {}) {
    try {
      const output = await runChild('/bin/sh', ['-c', script], { timeoutMs, ...options });
      return output ?? late('This machine', timeoutMs);
    } catch (e) {
      if (e instanceof AuroraError) throw e;
      throw new AuroraError(
        'network',
        `/bin/sh could not be started: ${(e as Error).message}.`,
        'Name the login node in cluster.slurm.host.',
        { cause: e },
      );
    }
  },
});

/** The mark before a script's output: a user's shell may print something before it. */
const BEGIN = 'aurora-lab-output\n';

/** The login node, by the user's own ssh. */
export function sshShell(host: string): ClusterShell {
  checkHost(host);
  let options: Promise<string[]> | undefined;
  return {
    name: host,
    async run(script, { input = '', timeoutMs = TIMEOUT_MS, ...more } = {}) {
      options ??= sshOptions(host);
      const sent = Buffer.from(`printf ${BEGIN.trim()}'\\n'\n${script}`);
      // The command is valid in every login shell. The script is read byte by byte, so that the input remains for it.
      const command = `exec /bin/sh -c 'eval "$(dd bs=1 count=${sent.length} 2>/dev/null)"'`;
      const output = await runChild('ssh', [...(await options), host, command], {
        input: Buffer.concat([sent, Buffer.from(input)]),
        timeoutMs,
        ...more,
      });
      if (!output) return late(host, timeoutMs);
      const at = output.stdout.indexOf(BEGIN);
      // ssh's own code for a lost connection, which may leave half of the output. No program of Slurm uses it.
      if (at < 0 || output.code === 255) throw sshError(host, output.stderr || 'the connection was lost');
      return { ...output, stdout: output.stdout.slice(at + BEGIN.length) };
    },
  };
}

function late(name: string, timeoutMs: number): never {
  throw new AuroraError(
    'network',
    `${name} did not respond within ${Math.round(timeoutMs / 1000)} s.`,
    'Check whether the cluster has a problem. The jobs in its queue are not affected.',
  );
}
