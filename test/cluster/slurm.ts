import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { hostname, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { until } from '../until';

/** Debian's place for daemons may not be on a user's path. */
const PATH = `${process.env.PATH}:/usr/sbin:/sbin`;

/** True if this machine can run a Slurm for tests: Debian's slurm-wlm and munge. */
export const hasSlurm =
  process.platform === 'linux' &&
  process.env.AURORA_TEST_SLURM !== '0' &&
  ['sbatch', 'slurmctld', 'slurmd', 'munged'].every((name) =>
    PATH.split(':').some((folder) => existsSync(join(folder, name))),
  );

export interface SlurmOptions {
  /** Names of the nodes; each has 2 CPUs and 4 GB, whatever the machine has. */
  nodes?: readonly string[];
  /** The largest index of an array plus one. */
  maxArraySize?: number;
  /** Further lines of slurm.conf. */
  configuration?: readonly string[];
}

/**
 * A real Slurm on this machine: munged, slurmctld and a slurmd for each node, with their own ports, key and folder.
 * Accounting is off, and there are no cgroups, which a container lacks.
 */
export class Slurm {
  /** The environment of Slurm's commands: pass it to the programs under test. */
  readonly env: NodeJS.ProcessEnv;
  private readonly daemons = new Map<string, ChildProcess>();

  private constructor(
    readonly folder: string,
    readonly nodes: readonly string[],
  ) {
    this.env = { ...process.env, PATH, SLURM_CONF: join(folder, 'slurm.conf') };
  }

  /** Returns once all nodes are idle. */
  static async start(options: SlurmOptions = {}): Promise<Slurm> {
    const { nodes = ['node1', 'node2'] } = options;
    const slurm = new Slurm(mkdtempSync(join(tmpdir(), 'aurora-slurm-')), nodes);
    process.once('exit', () => slurm.killAll());
    try {
      await slurm.configure(options);
      slurm.startMunge();
      await until(() => existsSync(join(slurm.folder, 'munge.socket')));
      slurm.startController();
      for (const node of nodes) slurm.startNode(node);
      await until(() => slurm.areIdle(), 100);
      return slurm;
    } catch (e) {
      const logs = slurm.logs();
      await slurm.stop();
      throw new Error(`Slurm did not start: ${(e as Error).message}\n${logs}`, { cause: e });
    }
  }

  /** The output of one of Slurm's commands; an error has what it printed. */
  command(program: string, ...args: readonly string[]): string {
    const { status, stdout, stderr } = spawnSync(program, args, { env: this.env, encoding: 'utf8' });
    if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
    return stdout;
  }

  /** From now on, the job has at least so many minutes, and less than one more, until its time limit. */
  setTimeLeft(job: string, minutes: number): void {
    const time = this.command('squeue', '-h', '-j', job, '-o', '%M').trim();
    const [, hours = '0', ran] = /^(?:(\d+):)?(\d+):\d+$/.exec(time)!;
    const limit = Number(hours) * 60 + Number(ran) + minutes;
    this.command('scontrol', 'update', `JobId=${job}`, `TimeLimit=${limit}`);
  }

  /** Waits until everything that has happened so far survives a kill of the controller. */
  async saved(job: string): Promise<void> {
    const now = Date.now();
    // Without a change, it saves nothing.
    this.command('scontrol', 'update', `JobId=${job}`, `Comment=${now}`);
    await until(() => statSync(join(this.folder, 'state/job_state')).mtimeMs > now);
  }

  startController(): void {
    this.startDaemon('slurmctld', ['-D']);
  }

  /** As when its machine fails: running jobs are not affected. */
  async killController(): Promise<void> {
    await this.kill('slurmctld');
  }

  startNode(node: string): void {
    this.startDaemon('slurmd', ['-D', '-N', node], node);
  }

  /** Slurm loses sight of the node while its tasks continue, as when its network fails. */
  async killSlurmd(node: string): Promise<void> {
    await this.kill(node);
  }

  /** The node fails, with everything that runs on it. */
  async killNode(node: string): Promise<void> {
    await this.kill(node);
    // All at once: what is left of a job for a moment would report the end of the others to Slurm.
    for (const pid of this.processes(node)) signal(pid, 'SIGSTOP');
    await until(() => {
      const left = this.processes(node);
      left.forEach((pid) => signal(pid, 'SIGKILL'));
      return left.length === 0;
    });
  }

  /** The processes of all jobs on a node. */
  processes(node: string): number[] {
    const wanted = [`SLURM_CONF=${this.env.SLURM_CONF}`, `SLURMD_NODENAME=${node}`];
    const found = numbers(readdirSync('/proc')).filter((pid) => {
      const variables = readProc(pid, 'environ').split('\0');
      return wanted.every((w) => variables.includes(w));
    });
    // Whoever started them restarts nothing, but reports to Slurm.
    const steps = found.map((pid) => Number(/^PPid:\s*(\d+)$/m.exec(readProc(pid, 'status'))?.[1] ?? 0));
    return [...new Set([...steps.filter((pid) => readProc(pid, 'comm').startsWith('slurmstepd')), ...found])];
  }

  /** Ends all jobs and daemons, and removes their files. */
  async stop(): Promise<void> {
    await until(() => {
      this.killAll();
      return this.nodes.every((node) => this.processes(node).length === 0);
    });
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }

  /** For a failed test. */
  logs(): string {
    const names = readdirSync(this.folder).filter((name) => name.endsWith('.log'));
    return names
      .map((name) => `${name}:\n${readFileSync(join(this.folder, name), 'utf8').slice(-4000)}`)
      .join('\n');
  }

  private killAll(): void {
    for (const daemon of this.daemons.values()) daemon.kill('SIGKILL');
    this.daemons.clear();
    for (const node of this.nodes) for (const pid of this.processes(node)) signal(pid, 'SIGKILL');
  }

  private async configure({ maxArraySize = 1001, configuration = [] }: SlurmOptions): Promise<void> {
    const [controller, ...ports] = await freePorts(1 + this.nodes.length);
    const user = userInfo().username;
    const at = (name: string) => join(this.folder, name);
    mkdirSync(at('state'));
    for (const node of this.nodes) mkdirSync(at(`spool-${node}`));
    const lines = [
      'ClusterName=aurora',
      `SlurmctldHost=${hostname().split('.')[0]}(127.0.0.1)`,
      `SlurmctldPort=${controller}`,
      `SlurmUser=${user}`,
      `SlurmdUser=${user}`,
      'AuthType=auth/munge',
      // A requeued job may start after so many seconds; 5 is the least.
      `AuthInfo=socket=${at('munge.socket')},cred_expire=5`,
      `StateSaveLocation=${at('state')}`,
      `SlurmdSpoolDir=${at('spool-%n')}`,
      `SlurmctldPidFile=${at('slurmctld.pid')}`,
      `SlurmdPidFile=${at('%n.pid')}`,
      'ProctrackType=proctrack/linuxproc',
      'TaskPlugin=task/none',
      'SelectType=select/cons_tres',
      'SelectTypeParameters=CR_Core_Memory',
      'AccountingStorageType=accounting_storage/none',
      'JobAcctGatherType=jobacct_gather/none',
      'MpiDefault=none',
      'ReturnToService=2',
      // A node that is off delays the look at all others by the first; one that answers must not be taken for off then.
      'MessageTimeout=5',
      'SlurmdTimeout=15',
      'KillWait=10',
      'SlurmdParameters=config_overrides',
      'SchedulerParameters=sched_interval=1,bf_interval=1,sched_min_interval=0',
      `MaxArraySize=${maxArraySize}`,
      ...configuration,
      ...this.nodes.map(
        (node, i) =>
          `NodeName=${node} NodeHostname=${hostname().split('.')[0]} NodeAddr=127.0.0.1 Port=${ports[i]} CPUs=2 RealMemory=4000`,
      ),
      'PartitionName=debug Nodes=ALL Default=YES MaxTime=INFINITE State=UP',
    ];
    writeFileSync(at('slurm.conf'), `${lines.join('\n')}\n`);
    writeFileSync(at('munge.key'), randomBytes(128), { mode: 0o400 });
  }

  private startMunge(): void {
    const file = (name: string) => join(this.folder, `munge.${name}`);
    this.startDaemon('munged', [
      '--foreground',
      // Its socket is in a folder that only this user can enter.
      '--force',
      `--key-file=${file('key')}`,
      `--socket=${file('socket')}`,
      `--pid-file=${file('pid')}`,
      `--seed-file=${file('seed')}`,
    ]);
  }

  private startDaemon(program: string, args: readonly string[], name = program): void {
    const log = join(this.folder, `${name}.log`);
    const daemon = spawn('/bin/sh', ['-c', 'exec "$0" "$@" >> "$AURORA_TEST_LOG" 2>&1', program, ...args], {
      env: { ...this.env, AURORA_TEST_LOG: log },
      stdio: 'ignore',
    });
    this.daemons.set(name, daemon);
  }

  private async kill(name: string): Promise<void> {
    const daemon = this.daemons.get(name);
    if (!daemon) throw new Error(`${name} does not run`);
    this.daemons.delete(name);
    const ended = new Promise((resolve) => daemon.once('exit', resolve));
    daemon.kill('SIGKILL');
    await ended;
  }

  /** True if the controller answers. */
  answers(): boolean {
    return spawnSync('scontrol', ['ping'], { env: this.env }).status === 0;
  }

  private areIdle(): boolean {
    if (!this.answers()) return false;
    const states = this.command('sinfo', '--noheader', '--Node', '--format=%T').trim().split('\n');
    return states.length === this.nodes.length && states.every((state) => state === 'idle');
  }
}

async function freePorts(n: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: n }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

const numbers = (names: readonly string[]): number[] => names.filter((n) => /^\d+$/.test(n)).map(Number);

/** Empty if the process has ended. */
function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended meanwhile.
  }
}
