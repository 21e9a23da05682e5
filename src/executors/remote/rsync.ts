import { AuroraError } from '../../base/errors';
import { clusterQuote, requirePlain } from '../cluster/plain-name';
import { runChild } from './child';
import { sshError, sshOptions } from './shell';

export interface RsyncCopy {
  /** Folders whose entries are copied, and where to. One is on the host: `{ there: '/folder' }`. */
  from: string | { there: string };
  to: string | { there: string };
  /** Paths relative to `from`. Missing ones are left out. */
  entries: readonly string[];
  options?: readonly string[];
  /** Ends it after this long; copied files stay. */
  timeoutMs: number;
  /** Called with how many bytes of the files that differ are there. */
  progress?: (bytes: number) => void;
}

/** Without a byte for so long, the connection counts as lost. */
const SILENT_SECONDS = 60;

const PLAIN_NUMBERS = '--no-human-readable';

/** The way in which rsync reaches the other side. */
export interface Remote {
  /** For messages. */
  name: string;
  /** The prefix of the paths there, between `command` and the command of the other side. */
  host: string;
  /** The program that runs a command there, with its arguments. */
  command: () => Promise<string[]>;
  /** The error for a connection that cannot be made, or was lost. */
  lost: (reason: string) => AuroraError;
}

/** A login node, over the same connection as its shell. */
function sshRemote(host: string): Remote {
  let options: Promise<string[]> | undefined;
  return {
    name: host,
    host,
    command: async () => ['ssh', ...(await (options ??= sshOptions(host)))],
    lost: (reason) => sshError(host, reason),
  };
}

/** rsync between this machine and another one. */
export class Rsync {
  readonly remote: Remote;

  constructor(remote: Remote | string) {
    this.remote = typeof remote === 'string' ? sshRemote(remote) : remote;
    const { host } = this.remote;
    if (process.platform === 'win32')
      throw new AuroraError(
        'experiment',
        'Files cannot be copied to a cluster from Windows, which has no rsync.',
        'Start the sweep in WSL or on the login node, or use a folder that this machine and the cluster share.',
      );
    // rsync's own marks in the names of hosts.
    if (/[/:]/.test(host))
      throw new AuroraError(
        'experiment',
        `cluster.slurm.host is "${host}", which rsync cannot use.`,
        'Give the login node a name in ~/.ssh/config (Host, HostName, Port, User), and write that name.',
      );
  }

  /**
   * Copies files and folders with their times; links stay links on the way there, and do not come back. Each file is
   * replaced at once. Received files are not to be trusted (`receive`).
   *
   * @returns false if it was not done in time
   * @throws AuroraError 'network' if the host cannot be reached, 'disk' if it is full
   */
  async copy({ progress, ...copy }: RsyncCopy): Promise<boolean> {
    if (copy.entries.length === 0) return true;
    if (!progress) return (await this.run(copy)) !== undefined;
    const options = [...(copy.options ?? []), '--info=progress2', PLAIN_NUMBERS];
    const output = await this.run({ ...copy, options }, (text) => {
      const bytes = [...text.matchAll(/(\d{1,15}) +\d+%/g)].at(-1)?.[1];
      if (bytes !== undefined) progress(Number(bytes));
    });
    return output !== undefined;
  }

  /**
   * The number of files that differ, by size and time, and would be sent by `copy`.
   *
   * @returns undefined if it was not known in time
   * @throws AuroraError as `copy`
   */
  async missing(copy: RsyncCopy): Promise<{ files: number; bytes: number } | undefined> {
    const options = [...(copy.options ?? []), '--dry-run', '--stats', PLAIN_NUMBERS];
    const output = await this.run({ ...copy, options });
    const numberAfter = (what: string) => new RegExp(`${what}: (\\d{1,15})`).exec(output ?? '')?.[1];
    const [files, bytes] = [numberAfter('files transferred'), numberAfter('transferred file size')];
    return files && bytes ? { files: Number(files), bytes: Number(bytes) } : undefined;
  }

  /** @returns the output of rsync; undefined if it was not done in time */
  private async run(
    { from, to, entries, options = [], timeoutMs }: RsyncCopy,
    onOutput?: (text: string) => void,
  ): Promise<string | undefined> {
    // rsync splits it at spaces, except in quotes.
    const command = (await this.remote.command()).map(clusterQuote).join(' ');
    const args = [
      // The paths are not part of a command on the other side, which versions before 3.2.4 leave to its shell.
      '--protect-args',
      ...['--recursive', '--times', '--omit-dir-times', '--no-implied-dirs'],
      // From there, no links come: they might lead anywhere.
      typeof from === 'string' ? '--links' : '--no-links',
      ...['--ignore-missing-args', '--from0', '--files-from=-', `--timeout=${SILENT_SECONDS}`],
      ...options,
      ...['-e', command, '--', this.place(from), this.place(to)],
    ];
    const input = entries.map((entry) => `${requirePlain(entry)}\0`).join('');
    let output;
    try {
      output = await runChild('rsync', args, { input, timeoutMs, output: onOutput });
    } catch (cause) {
      if (cause instanceof AuroraError) throw cause;
      throw new AuroraError(
        'network',
        `rsync could not be started: ${(cause as Error).message}.`,
        'Install rsync on this machine, which copies files to the cluster.',
        { cause },
      );
    }
    if (!output) return undefined;
    // 24: files that vanished while they were listed, such as a checkpoint that was replaced by a newer one.
    if (output.code !== 0 && output.code !== 24) throw this.error(output.code, output.stderr);
    return output.stdout;
  }

  private place(folder: RsyncCopy['from']): string {
    return typeof folder === 'string' ? `${folder}/` : `${this.remote.host}:${requirePlain(folder.there)}/`;
  }

  private error(code: number, stderr: string): AuroraError {
    const { name: host, lost } = this.remote;
    if (/command not found|rsync: not found/i.test(stderr))
      return new AuroraError(
        'network',
        `${host} has no rsync.`,
        'Install it there, or load its module in a file that your shell reads at each login.',
      );
    if (/is your shell clean|protocol incompatibility/i.test(stderr))
      return new AuroraError(
        'network',
        `The shell on ${host} prints something at login, which rsync cannot read past.`,
        `\`ssh ${host} true\` must print nothing: let ~/.bashrc there print only in a terminal.`,
      );
    const full = /^.*(?:No space left on device|Disk quota exceeded).*$/im.exec(stderr)?.[0];
    if (full !== undefined)
      return new AuroraError(
        'disk',
        `The disk that files are copied to is full (${host}): ${full.replace(/^rsync(?:: |\[.*?\]:? )/, '').trim()}.`,
        'Free some space and run the sweep again; files that were copied are not copied again.',
      );
    // 255 is ssh's own; 12 is a broken stream and 30 a timeout.
    if (code === 255 || code === 12 || code === 30)
      return lost(reasonOf(stderr) || 'the connection was lost');
    return new AuroraError(
      'network',
      `rsync failed with ${host}: ${reasonOf(stderr) || `exit code ${code}`}.`,
      'Check the folders and their permissions on both sides.',
    );
  }
}

/** Its first complaint, without rsync's lines at its end. */
const reasonOf = (stderr: string): string =>
  stderr
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^rsync error: .* \(code \d+\) at /.test(line))
    .at(0) ?? '';
