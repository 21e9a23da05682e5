import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AuroraError } from '../../base/errors';
import { HOST } from '../../experiment/cluster';
import { type ChildOptions, type Output, runChild } from './child';

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

/** An idle connection ends after this many seconds. */
const PERSIST_SECONDS = 600;
const CONNECT_SECONDS = 20;
const SETTINGS_MS = 10_000;

/**
 * The options before the host in every `ssh` command: the user's own configuration and connection, but without
 * questions, forwarded ports or a terminal. Where the user shares no connection (ControlPath), we share one of ours,
 * since each new one may cost a second or a second factor.
 *
 * @throws AuroraError 'experiment' if the host is an option, 'network' if there is no ssh
 */
export async function sshOptions(host: string): Promise<string[]> {
  checkHost(host);
  const settings = await readSettings(host);
  const options = [
    ...['-T', '-x'],
    ...['BatchMode=yes', 'RemoteCommand=none', 'ClearAllForwardings=yes', 'LogLevel=ERROR'].flatMap(option),
  ];
  if (process.platform === 'win32') return options;
  if (/^controlpath (?!none$)/m.test(settings)) return options;
  const folder = privateFolder();
  if (folder === undefined) return [...options, ...option(`ConnectTimeout=${CONNECT_SECONDS}`)];
  // A socket's path has at most 104 characters on some systems, and ssh adds 17 while it connects.
  const path = join(folder, createHash('sha256').update(settings).digest('hex').slice(0, 12));
  return [
    ...options,
    ...[
      'ControlMaster=auto',
      `ControlPath=${path.replaceAll('%', '%%')}`,
      `ControlPersist=${PERSIST_SECONDS}`,
      `ConnectTimeout=${CONNECT_SECONDS}`,
      // A connection that has died in its sleep would hold up all others.
      'ServerAliveInterval=15',
    ].flatMap(option),
  ];
}

const option = (text: string): string[] => ['-o', text];

/** ssh would read a leading dash as an option, which can run any program. */
function checkHost(host: string): void {
  if (HOST.test(host)) return;
  throw new AuroraError(
    'experiment',
    `cluster.slurm.host is "${host}", which is not the name of a host.`,
    'Write the name of the login node, as you type it after ssh.',
  );
}

async function readSettings(host: string): Promise<string> {
  try {
    const { stdout = '' } = (await runChild('ssh', ['-G', host], { timeoutMs: SETTINGS_MS })) ?? {};
    return stdout;
  } catch (e) {
    if (e instanceof AuroraError) throw e;
    throw new AuroraError(
      'network',
      `ssh could not be started: ${(e as Error).message}.`,
      'Install OpenSSH, or start the sweep on the login node.',
      { cause: e },
    );
  }
}

/** A folder for sockets that only this user may open. Undefined if there is none. */
function privateFolder(): string | undefined {
  const uid = process.getuid!();
  const folder = join(process.env.XDG_RUNTIME_DIR ?? tmpdir(), `aurora-ssh-${uid}`);
  try {
    mkdirSync(folder, { mode: 0o700, recursive: true });
    const { mode, uid: owner } = lstatSync(folder);
    return owner === uid && (mode & 0o170077) === 0o040000 ? folder : undefined;
  } catch {
    return undefined;
  }
}

/** The reason why ssh itself failed (exit code 255), with the next step. */
export function sshError(host: string, stderr: string): AuroraError {
  const reason = stderr.trim().split('\n').at(-1)?.trim().replace(/\.$/, '') || 'no reason given';
  return new AuroraError(
    'network',
    `${host} could not be reached by ssh: ${reason}.`,
    nextStep(host, stderr),
  );
}

function nextStep(host: string, stderr: string): string {
  if (/permission denied|too many authentication failures|keyboard-interactive/i.test(stderr))
    return `A password is never asked for here. Load your key with ssh-add, or share a connection (ControlMaster) and open it with \`ssh ${host}\` in a terminal.`;
  if (/host key verification failed|host identification has changed/i.test(stderr))
    return `Run \`ssh ${host}\` once in a terminal and check the host's key.`;
  return `Check that \`ssh ${host}\` works in a terminal.`;
}
