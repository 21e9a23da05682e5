import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { AuroraError } from '../../base/errors';
import type { Experiment } from '../../experiment/experiment';
import { clusterQuote } from '../cluster/plain-name';
import type { ClusterFiles, Sending, SweepFiles, TrainerThere } from '../cluster/cluster';
import { packageFor } from '../package/package';
import { RunBringer } from './bring-runs';
import { clusterPlatform, lines } from './platform';
import { Rsync, type Remote } from './rsync';
import { InputSender } from './send-inputs';
import { sendTrainer } from './send-trainer';
import type { ClusterShell } from './shell';

export interface RsyncFilesOptions extends SweepFiles {
  /** The login node, or the host that rsync reaches in its place. */
  host: string | Remote;
  shell: ClusterShell;
  /** An absolute folder on the cluster; under it, each file has the path that it has here. */
  folder: string;
  /** The trainer that is there already; omitted: the package is sent. */
  trainer?: () => Promise<TrainerThere>;
}

/** No character that a shell, rsync or Slurm reads as anything else. */
const FOLDER = /^(?:\/[\w@+=.,-]+)+$/;
const SUBMISSION_MS = 30 * 60_000;
/** The logs of many tasks are listed each time. */
const LOGS_EVERY_MS = 60_000;

/** The files of a sweep on a cluster that shares no folder with this machine: by rsync, over the user's ssh. */
export class RsyncFiles implements ClusterFiles {
  private readonly rsync: Rsync;
  private readonly inputs: InputSender;
  private readonly bringer: RunBringer;
  /** Models and data, as JSON, whose files are there. */
  private readonly listed = new Set<string>();
  private sent: Promise<TrainerThere> | undefined;
  private logsAt = -Infinity;

  /** @throws AuroraError 'experiment' for a folder or a host that cannot be used */
  constructor(private readonly options: RsyncFilesOptions) {
    const { host, shell, folder, home } = options;
    if (!FOLDER.test(folder) || folder.split('/').includes('..'))
      throw new AuroraError(
        'experiment',
        `cluster.slurm.folder is "${folder}", which is not an absolute path of plain characters.`,
        'Write it from the root, as the cluster knows it (pwd -P), without spaces, quotes and variables.',
      );
    this.rsync = new Rsync(host);
    const there = (path: string) => this.there(path);
    this.inputs = new InputSender(shell, this.rsync, folder, there);
    this.bringer = new RunBringer({ shell, rsync: this.rsync, home, there, here: (path) => this.here(path) });
  }

  there(path: string): string {
    return `${this.options.folder}${path}`;
  }

  here(path: string): string | undefined {
    const { folder } = this.options;
    return path.startsWith(`${folder}/`) ? path.slice(folder.length) : undefined;
  }

  sendTrainer(): Promise<TrainerThere> {
    return (this.sent ??= this.install().catch((e) => {
      this.sent = undefined;
      throw e;
    }));
  }

  async sendSubmission(
    submission: string,
    specs: readonly Experiment[],
    sending?: (now: Sending) => void,
  ): Promise<void> {
    await this.sendInputs(specs, sending);
    const logs = clusterQuote(`${this.there(submission)}/logs`);
    const { code, stderr } = await this.options.shell.run(`mkdir -p ${logs}`);
    if (code !== 0)
      throw new AuroraError(
        'disk',
        `${this.there(submission)} could not be made on ${this.options.shell.name}: ${stderr.trim()}.`,
        'It must be in a folder on the cluster that you may write to.',
      );
    const whole = await this.rsync.copy({
      from: dirname(submission),
      to: { there: this.there(dirname(submission)) },
      entries: [submission.slice(dirname(submission).length + 1)],
      options: ['--exclude=/*/logs'],
      timeoutMs: SUBMISSION_MS,
    });
    if (!whole)
      throw new AuroraError(
        'network',
        `${submission} could not be copied to ${this.options.shell.name} within ${SUBMISSION_MS / 60_000} minutes.`,
        'Check the connection, and run the sweep again.',
      );
  }

  async follow(runs: readonly string[]): Promise<void> {
    await this.bringer.follow(runs);
    if (performance.now() - this.logsAt < LOGS_EVERY_MS) return;
    this.logsAt = performance.now();
    await this.bringLogs();
  }

  async collect(runs: readonly string[]): Promise<void> {
    await this.bringer.collect(runs);
    await this.bringLogs();
  }

  async collectCheckpoints(runs: readonly string[]): Promise<void> {
    await this.bringer.collectCheckpoints(runs);
  }

  async request(runs: readonly string[], what: 'stop' | 'checkpoint'): Promise<void> {
    // Another user of the folder may have put links there: none is written through (set -C).
    const script = `set -C
while IFS= read -r run; do
  control=$run/control
  [ -d "$run" ] && [ ! -L "$run" ] && mkdir -p "$control" && [ ! -L "$control" ] || continue
  new=$control/.${what}.$$
  : > "$new" && mv -f "$new" "$control/${what}"
done
exit 0`;
    await this.options.shell.run(script, { input: lines(runs.map((run) => this.there(run))) });
  }

  async removeThere(path: string): Promise<void> {
    await this.options.shell.run(`rm -rf ${clusterQuote(this.there(path))}`);
  }

  private async install(): Promise<TrainerThere> {
    const { shell, dist, folder, trainer } = this.options;
    if (trainer) return trainer();
    const pkg = await packageFor(dist, await clusterPlatform(shell), shell.name);
    return sendTrainer(pkg, { shell, rsync: this.rsync, trainers: `${folder}/.aurora/trainers` });
  }

  /** Most trials read the same, and a table of images takes long to read. */
  private async sendInputs(specs: readonly Experiment[], sending?: (now: Sending) => void): Promise<void> {
    const distinct = new Map(specs.map((spec) => [JSON.stringify([spec.model, spec.data]), spec]));
    const files = new Set<string>();
    for (const [key, spec] of distinct)
      if (!this.listed.has(key)) for (const file of await this.options.filesRead(spec)) files.add(file);
    await this.inputs.send([...files], sending);
    for (const key of distinct.keys()) this.listed.add(key);
  }

  private async bringLogs(): Promise<void> {
    const submissions = join(this.options.sweep, 'submissions');
    if (!existsSync(submissions)) return;
    await this.bringer.logs(submissions);
  }
}
