import { mkdirSync } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { freemem, totalmem, availableParallelism } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { agreedArguments } from '../../runs/experiment/agreed-text';
import { isClaimFolder } from '../../runs/claim-folder';
import type { ExecutorName } from '../../experiment/cluster';
import { createFolder, createRun, experimentRuns, isSweepFolder, runPaths } from '../../runs/layout';
import { AuroraError, EXIT } from '../../base/errors';
import { writeAtomic } from '../../files/atomic';
import { GPU_FOLDER, GPU_SUPPORT_VARIABLE } from '../../protocol/gpu-support';
import type {
  CancellableProgramOptions,
  ClaimOptions,
  MachineReport,
  ProgramOptions,
  ProgramResult,
  ResumeOptions,
  RunningProgram,
  StopOutcome,
  SweepOptions,
} from './client';
import { deviceArguments, forkArguments, type DeviceSettings } from './device-arguments';
import { clusterEnvironment, trainerEnvironment } from './environment';
import type { Launch } from '../../executors/local/launch-trainer';
import { Leases, type Memory } from './leases';
import { untrusted } from '../../executors/missing-piece';
import { findNode, type NodeProgram } from './node-program';
import { startProgram, programError } from '../../executors/local/program';
import { ensureRuntime, type RuntimeCopy, keepCopy, removeOldVersions } from './runtime-copy';
import { findRuntime } from '../../executors/package/package-files';

/** The services of the editor that the trainer client needs. */
export interface TrainerHost {
  /** The extension's dist folder. */
  dist: string;
  /** globalStorage: copies of the programs, one folder per version. */
  storage: string;
  version: string;
  /** The path of VS Code's own Node; see findNode. */
  execPath: string;
  electron: string | undefined;
  trusted(): boolean;
  settings(): {
    nodePath: string;
    threads: number;
    keepRunsAfterClose: boolean;
    /** The section as it is in the settings, unchecked. */
    cluster: object;
  } & DeviceSettings;
  memory: Memory;
  info(message: string): void;
}

/** Commands that run a model, so that missing pieces are detected before they start. */
const NATIVE: readonly string[] = [
  'train',
  'claim',
  'preflight',
  'export',
  'publish',
  'import',
  'combine',
  'errors',
  'reference',
  'doctor',
  'verify',
  'play',
];

/**
 * Our own parser, in a separate process without the runtime, is safe on any file. The others read no workspace files.
 */
const HARMLESS: readonly string[] = ['inspect', 'doctor', 'gpu'];

/** A download by name reads none either, while a download of a file's references does. */
const isHarmless = ([command, what]: readonly string[]): boolean =>
  HARMLESS.includes(command) || (command === 'get' && (what === 'model' || what === 'data'));

/**
 * Starts, stops and re-attaches trainers: detached, plain Node processes that write a run folder and take requests as
 * files. The run folder is the only truth. Every method that executes anything rejects with a clear AuroraError in an
 * untrusted workspace or if something is missing.
 */
export class Trainer {
  private readonly leases: Leases;
  private readonly programs = new Set<RunningProgram>();
  private readonly stopping = new Map<string, Promise<StopOutcome>>();
  private preparing: Promise<RuntimeCopy> | undefined;

  constructor(private readonly host: TrainerHost) {
    this.leases = new Leases(host.memory);
  }

  /** The folder of this version's copy. */
  get copyFolder(): string {
    return join(this.host.storage, this.host.version);
  }

  /**
   * Creates a run folder, starts training in it and returns it. The trainer's output goes to its trainer.log.
   *
   * @param text the experiment's text, if not that of the file
   */
  start(experimentFile: string, overrides: readonly string[] = [], text?: string): Promise<string> {
    return this.launch(() => {
      const run = createRun(experimentRuns(experimentFile));
      if (text !== undefined) writeAtomic(runPaths(run).source, text, run);
      const device = deviceArguments(this.host.settings());
      return {
        run,
        isNew: true,
        args: ['train', experimentFile, ...sets(overrides), ...device, '--run', run],
      };
    });
  }

  /**
   * Runs or continues the sweep of an experiment. Its queue is a process like a trainer, and `stop` ends it, too. On a
   * cluster that process also outlives the window, whatever the settings: it only follows.
   *
   * @param folder the sweep's folder, which need not exist
   */
  async startSweep(experimentFile: string, folder: string, options: SweepOptions = {}): Promise<void> {
    const { on = 'local', text } = options;
    await this.launch(
      () => {
        createFolder(folder);
        const place = this.placeArguments(on);
        const agreed = text === undefined ? [] : agreedArguments(text);
        return {
          run: folder,
          args: ['sweep', experimentFile, ...agreed, ...place, ...resumeArguments(options)],
        };
      },
      { isUnbound: on !== 'local', patience: SWEEP_PATIENCE_MS, checks: true },
    );
  }

  /**
   * Tests or continues a claim of an experiment. Its process works in the claim's folder, which `stop` also ends. On a
   * cluster it outlives the window, as that of a sweep.
   *
   * @param folder the claim's folder, which need not exist, named after the beginning of its hash: a file that makes
   *   another claim by now is an error
   */
  async startClaim(
    experimentFile: string,
    folder: string,
    { takeOver = false, on = 'local', seconds = [] }: ClaimOptions = {},
  ): Promise<void> {
    await this.launch(
      () => {
        createFolder(folder);
        const measured = seconds.length > 0 ? ['--seconds', seconds.join()] : [];
        const args = ['claim', experimentFile, '--hash', basename(folder), '--json', ...measured];
        return { run: folder, args: [...args, ...this.placeArguments(on), ...resumeArguments({ takeOver })] };
      },
      { isUnbound: on !== 'local', patience: SWEEP_PATIENCE_MS, checks: true },
    );
  }

  /**
   * Names the claim that an experiment makes now, and what it costs: measured, unless it is tested on a cluster. Freezes
   * nothing.
   *
   * @param onLine gets the lines of `aurora claim --json` (ClaimLine)
   */
  async dryClaim(
    experimentFile: string,
    on: ExecutorName,
    options: Pick<CancellableProgramOptions, 'token' | 'onLine'>,
  ): Promise<ProgramResult> {
    return this.program(['claim', experimentFile, '--dry-run', '--json', ...this.placeArguments(on)], {
      timeout: SWEEP_PATIENCE_MS,
      ...options,
    });
  }

  /**
   * Takes trials of a sweep on a cluster out of its queue, or asks them to save and end. The process that follows the
   * sweep does it; if nobody does, this waits until it is done.
   */
  async cancelTrials(experimentFile: string, trials: readonly number[] | 'all'): Promise<void> {
    const which = trials === 'all' ? trials : trials.join();
    await this.cancelWith(experimentFile, 'sweep', ['--cancel', which]);
  }

  /** `cancelTrials` for all trials of a claim. @param folder the claim's */
  async cancelClaim(experimentFile: string, folder: string): Promise<void> {
    await this.cancelWith(experimentFile, 'claim', ['--cancel', '--hash', basename(folder)]);
  }

  private async cancelWith(
    experimentFile: string,
    command: string,
    options: readonly string[],
  ): Promise<void> {
    const args = [command, experimentFile, ...options, ...this.clusterArguments()];
    const env = clusterEnvironment(process.env);
    const ended = await this.program(args, { cwd: dirname(experimentFile), env });
    // Trials that are left to train are not an error here.
    if (ended.code === 0 || ended.code === EXIT.stopped) return;
    throw programError(ended, `${command} --cancel`);
  }

  /** The settings of this machine's devices do not apply to a cluster's. */
  private placeArguments(on: ExecutorName): string[] {
    return on === 'local' ? deviceArguments(this.host.settings()) : ['--on', on, ...this.clusterArguments()];
  }

  /** The arguments of `aurora sweep` with the setting aurora.cluster in a file: arguments can be seen by all users of a machine, and are limited in length. */
  clusterArguments(): string[] {
    const { cluster } = this.host.settings();
    if (Object.keys(cluster).length === 0) return [];
    const file = join(this.host.storage, 'cluster-settings.json');
    mkdirSync(this.host.storage, { recursive: true });
    writeAtomic(file, `${JSON.stringify(cluster, null, 2)}\n`);
    return ['--cluster', file];
  }

  /** Continues a stopped or lost run. */
  async resume(run: string, options: ResumeOptions = {}): Promise<void> {
    await this.launch(() => ({ run, args: ['train', '--resume', run, ...resumeArguments(options)] }));
  }

  /** Starts a new run from another run's checkpoint, with settings changed ("training.learningRate=1e-4"). */
  fork(
    from: string,
    step: number,
    overrides: readonly string[],
    acceptChangedInputs = false,
  ): Promise<string> {
    return this.launch(() => {
      const run = createRun(dirname(from));
      const what = ['--fork', from, '--at', String(step), ...sets(overrides)];
      const how = [...acceptance(acceptChangedInputs), ...forkArguments(this.host.settings())];
      return { run, isNew: true, args: ['train', ...what, ...how, '--run', run] };
    });
  }

  /**
   * Requests a stop, waits for the current step, then sends SIGTERM, then SIGKILL to the process tree. Resolves once no
   * process is left. A second request while one is in progress waits for the same result.
   */
  stop(run: string): Promise<StopOutcome> {
    const under = this.stopping.get(run);
    if (under) return under;
    const stop = this.requireTrust()
      .then(async () => (await import('../../executors/local/stop')).stopRun(run))
      .finally(() => {
        this.stopping.delete(run);
      });
    this.stopping.set(run, stop);
    void stop.then(
      () => this.leases.drop(run),
      () => undefined,
    );
    return stop;
  }

  /**
   * Runs a short `aurora` command. Its process ends on cancellation or with the window. `onLine` gets stdout line by
   * line.
   */
  async program(
    args: readonly string[],
    { token, ...options }: CancellableProgramOptions = {},
  ): Promise<ProgramResult> {
    const running = await this.run(args, options);
    const canceled = token?.onCancellationRequested(() => running.kill('was canceled'));
    if (token?.isCancellationRequested) running.kill('was canceled');
    return running.ended.finally(() => canceled?.dispose());
  }

  /** Starts a command that keeps reading lines from its standard input. It ends with the window, or by `kill`. */
  open(args: readonly string[], options: ProgramOptions = {}): Promise<RunningProgram> {
    return this.run(args, { timeout: Infinity, ...options }, true);
  }

  private async run(
    args: readonly string[],
    options: ProgramOptions,
    input = false,
  ): Promise<RunningProgram> {
    const harmless = options.untrusted === true && isHarmless(args);
    if (!harmless) await this.requireTrust();
    const node = await this.node();
    if (NATIVE.includes(args[0])) await findRuntime(this.host.dist);
    const running = startProgram({
      node: node.path,
      args: [join(this.host.dist, 'cli.cjs'), ...args],
      cwd: options.cwd,
      env: { ...this.environment(), ...options.env },
      onLine: options.onLine,
      timeout: options.timeout,
      input,
    });
    this.programs.add(running);
    const forget = () => void this.programs.delete(running);
    running.ended.then(forget, forget);
    return running;
  }

  /**
   * The report on training on this machine, for the Machine view and diagnostics. Executes nothing but `node
   * --version`.
   */
  async machine(): Promise<MachineReport> {
    const problems: MachineReport['problems'] = [];
    const found = async <T>(search: Promise<T>): Promise<T | undefined> => {
      try {
        return await search;
      } catch (e) {
        if (!(e instanceof AuroraError)) throw e;
        problems.push({ message: e.message, hint: e.hint ?? '' });
        return undefined;
      }
    };
    const node = await found(this.node());
    const runtime = await found(findRuntime(this.host.dist));
    return {
      node,
      runtime: runtime && { version: runtime.version, path: runtime.binary },
      totalMemory: totalmem(),
      freeMemory: freemem(),
      cores: availableParallelism(),
      problems,
    };
  }

  /** Runs that this window started, or re-attached to after a reload, and keeps alive, wherever they are. */
  ownRuns(): string[] {
    return this.leases.runs().filter((folder) => !isSweepFolder(folder) && !isClaimFolder(folder));
  }

  /** Short commands end with the window. Trainers continue: a reload finds them again. */
  dispose(): void {
    for (const running of this.programs) running.kill('lost its window', true);
    this.leases.dispose();
  }

  /**
   * The command of `aurora mcp` for a program that starts servers itself: from the copy, which an update of the extension does
   * not remove while it is in use.
   */
  async server(
    args: readonly string[],
  ): Promise<{ command: string; args: string[]; env: Record<string, string> }> {
    await this.requireTrust();
    const { node, copy } = await this.prepare();
    const { threads, ...device } = this.host.settings();
    const limits = threads > 0 ? ['--threads', String(threads)] : [];
    return {
      command: node,
      args: [copy.cli, 'mcp', ...args, ...deviceArguments(device), ...limits],
      env: { [GPU_SUPPORT_VARIABLE]: join(this.host.storage, GPU_FOLDER) },
    };
  }

  /** The Node that runs all programs. MissingError if there is none. */
  node(): Promise<NodeProgram> {
    const { dist, execPath, electron } = this.host;
    return findNode({ setting: this.host.settings().nodePath, dist, execPath, electron });
  }

  private environment(): NodeJS.ProcessEnv {
    return {
      ...trainerEnvironment(process.env),
      [GPU_SUPPORT_VARIABLE]: join(this.host.storage, GPU_FOLDER),
    };
  }

  private requireTrust(): Promise<void> {
    return this.host.trusted() ? Promise.resolve() : Promise.reject(untrusted());
  }

  /**
   * Starts a process that works in a folder, from the copy of the programs.
   *
   * @param begin makes the folder once the programs are there. A new run is discarded if no trainer came to work in it
   * @returns the folder
   */
  private async launch(begin: () => Work, { isUnbound = false, ...waiting }: Waiting = {}): Promise<string> {
    await this.requireTrust();
    // Until the process has registered itself, this one keeps the copy.
    const leave = await keepCopy(this.copyFolder);
    try {
      const { node, copy } = await this.prepare();
      const { run, args, isNew = false } = begin();
      const { threads, keepRunsAfterClose } = this.host.settings();
      const isLeased = !isUnbound && !keepRunsAfterClose;
      try {
        if (isLeased) await this.leases.add(run);
        const limits = threads > 0 && !isUnbound ? ['--threads', String(threads)] : [];
        const { launchTrainer } = await import('../../executors/local/launch-trainer');
        const launched = await launchTrainer({
          node,
          args: [copy.cli, ...args, ...limits, ...(isLeased ? ['--lease'] : [])],
          run,
          env: { ...this.environment(), ...(isUnbound && clusterEnvironment(process.env)) },
          ...waiting,
        });
        this.host.info(`Process ${launched.pid} works in ${run}.`);
        // The trainer that starts removes an earlier trainer's requests, and the lease with them.
        if (isLeased) await this.leases.add(run);
        void launched.ended.then((end) => this.host.info(`Process ${launched.pid} ended: ${end}.`));
        return run;
      } catch (e) {
        this.leases.drop(run);
        if (isNew) await this.giveBack(run, e);
        throw e;
      }
    } finally {
      leave();
    }
  }

  private async prepare(): Promise<{ node: string; copy: RuntimeCopy }> {
    const node = await this.node();
    this.preparing ??= ensureRuntime(this.host.dist, this.copyFolder).finally(
      () => (this.preparing = undefined),
    );
    const began = Date.now();
    const copy = await this.preparing;
    this.host.info(`The trainer's programs are in ${copy.folder} (${Date.now() - began} ms).`);
    void removeOldVersions(this.host.storage, this.host.version).catch((e: Error) =>
      this.host.info(`Older copies of the trainer were not removed: ${e.message}.`),
    );
    return { node: node.from === 'extension' ? (copy.node ?? node.path) : node.path, copy };
  }

  private async giveBack(run: string, e: unknown): Promise<void> {
    // The error has the trainer's last output. Without an experiment it is not a usable run.
    if (await isThereFile(runPaths(run).spec)) return;
    this.host.info(`The run ${run} did not start: ${(e as Error).message}`);
    await rm(run, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** A sweep reports nothing until it has checked all its trials, and a claim until it has measured its cost. */
const SWEEP_PATIENCE_MS = 30 * 60_000;

/** A command that works in the folder of a run or a sweep, with its arguments. */
interface Work {
  run: string;
  args: readonly string[];
  isNew?: boolean;
}

interface Waiting extends Pick<Launch, 'patience' | 'checks'> {
  /** It outlives this window in any case, and the settings of this machine do not limit it. */
  isUnbound?: boolean;
}

const isThereFile = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

const resumeArguments = ({ takeOver = false, acceptChangedInputs = false }: ResumeOptions): string[] => [
  ...(takeOver ? ['--take-over'] : []),
  ...acceptance(acceptChangedInputs),
];

const acceptance = (accept: boolean): string[] => (accept ? ['--accept-changed-inputs'] : []);

const sets = (overrides: readonly string[]): string[] => overrides.flatMap((o) => ['--set', o]);
