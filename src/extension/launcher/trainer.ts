import { mkdirSync } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { freemem, totalmem, availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { createFolder, createRun, experimentRuns, isSweepFolder, runPaths } from '../../runs/layout';
import { AuroraError, EXIT } from '../../base/errors';
import { writeAtomic } from '../../files/atomic';
import { GPU_FOLDER, GPU_SUPPORT_VARIABLE } from '../../protocol/gpu-support';
import type { MachineReport, ProgramOptions, ResumeOptions, StopOutcome, SweepOptions } from './client';
import { deviceArguments, forkArguments, type DeviceSettings } from './device-arguments';
import { clusterEnvironment, trainerEnvironment } from './environment';
import { launchTrainer, type Launch } from './launch';
import { Leases, type Memory } from './leases';
import { untrusted } from '../../executors/missing';
import { findNode, type NodeProgram } from './node-program';
import { startProgram, type RunningProgram } from './program';
import { programError } from './program-error';
import { ensureRuntime, type RuntimeCopy } from './runtime-copy';
import { findRuntime } from '../../executors/package/files';
import { keepCopy, removeOldVersions } from './runtime-users';

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
  'preflight',
  'export',
  'publish',
  'import',
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

/** The trainer client without VS Code: TrainerClient's contract, on plain Node. */
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

  async start(experimentFile: string, overrides: readonly string[] = [], text?: string): Promise<string> {
    return this.inNewRun(experimentRuns(experimentFile), (run) => {
      if (text !== undefined) writeAtomic(runPaths(run).source, text, run);
      return [
        'train',
        experimentFile,
        ...sets(overrides),
        ...deviceArguments(this.host.settings()),
        '--run',
        run,
      ];
    });
  }

  async startSweep(experimentFile: string, folder: string, options: SweepOptions = {}): Promise<void> {
    await this.requireTrust();
    createFolder(folder);
    const { on = 'local' } = options;
    const waiting = { patience: SWEEP_PATIENCE_MS, checks: true };
    // The settings of this machine's devices do not apply to a cluster's.
    const place =
      on === 'local' ? deviceArguments(this.host.settings()) : ['--on', on, ...this.clusterArguments()];
    const args = ['sweep', experimentFile, ...place, ...resumeArguments(options)];
    await this.withCopy((programs) =>
      on === 'local'
        ? this.launch(programs, folder, args, waiting)
        : this.launchUnbound(programs, folder, args, waiting),
    );
  }

  async cancelTrials(experimentFile: string, trials: readonly number[] | 'all'): Promise<void> {
    await this.requireTrust();
    const which = trials === 'all' ? trials : trials.join();
    const args = ['sweep', experimentFile, '--cancel', which, ...this.clusterArguments()];
    const env = clusterEnvironment(process.env);
    const running = await this.program(args, { cwd: dirname(experimentFile), env });
    const ended = await running.ended;
    // Trials that are left to train are not an error here.
    if (ended.code === 0 || ended.code === EXIT.stopped) return;
    throw programError(ended, 'sweep --cancel');
  }

  /** The setting aurora.cluster in a file: arguments can be seen by all users of a machine, and are limited in length. */
  clusterArguments(): string[] {
    const { cluster } = this.host.settings();
    if (Object.keys(cluster).length === 0) return [];
    const file = join(this.host.storage, 'cluster-settings.json');
    mkdirSync(this.host.storage, { recursive: true });
    writeAtomic(file, `${JSON.stringify(cluster, null, 2)}\n`);
    return ['--cluster', file];
  }

  async resume(run: string, options: ResumeOptions = {}): Promise<void> {
    const args = ['train', '--resume', run, ...resumeArguments(options)];
    await this.withCopy((programs) => this.launch(programs, run, args));
  }

  async fork(
    run: string,
    step: number,
    overrides: readonly string[],
    acceptChangedInputs = false,
  ): Promise<string> {
    return this.inNewRun(dirname(run), (made) => [
      'train',
      '--fork',
      run,
      '--at',
      String(step),
      ...sets(overrides),
      ...acceptance(acceptChangedInputs),
      ...forkArguments(this.host.settings()),
      '--run',
      made,
    ]);
  }

  /** A second request while one is in progress waits for the same result. */
  stop(run: string): Promise<StopOutcome> {
    const under = this.stopping.get(run);
    if (under) return under;
    const stop = this.requireTrust()
      .then(async () => (await import('./stop')).stopRun(run))
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

  /** @param input true if it reads lines from its standard input; it then runs until it is stopped */
  async program(
    args: readonly string[],
    options: ProgramOptions = {},
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
      timeout: options.timeout ?? (input ? Infinity : undefined),
      input,
    });
    this.programs.add(running);
    const forget = () => void this.programs.delete(running);
    running.ended.then(forget, forget);
    return running;
  }

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

  /** Runs that this window keeps alive. */
  runs(): string[] {
    return this.leases.runs().filter((folder) => !isSweepFolder(folder));
  }

  /** Short commands end with the window. Trainers continue: a reload finds them again. */
  dispose(): void {
    for (const running of this.programs) running.kill('lost its window', true);
    this.leases.dispose();
  }

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

  /** Discards a run folder if no trainer came to work in it. */
  private inNewRun(runs: string, args: (run: string) => string[]): Promise<string> {
    return this.withCopy(async (programs) => {
      const run = createRun(runs);
      try {
        await this.launch(programs, run, args(run));
      } catch (e) {
        await this.giveBack(run, e);
        throw e;
      }
      return run;
    });
  }

  /**
   * Runs an action that starts a program from the copy. Until that program has registered itself, this process keeps
   * the copy.
   */
  private async withCopy<T>(work: (programs: Programs) => Promise<T>): Promise<T> {
    await this.requireTrust();
    const leave = await keepCopy(this.copyFolder);
    try {
      return await work(await this.prepare());
    } finally {
      leave();
    }
  }

  /** Starts a process that outlives this window, and is not limited by the settings of this machine. */
  private async launchUnbound(
    { node, copy }: Programs,
    folder: string,
    args: readonly string[],
    waiting: Pick<Launch, 'patience' | 'checks'>,
  ): Promise<void> {
    const env = { ...this.environment(), ...clusterEnvironment(process.env) };
    const launched = await launchTrainer({ node, args: [copy.cli, ...args], run: folder, env, ...waiting });
    this.host.info(`Process ${launched.pid} follows ${folder}.`);
    void launched.ended.then((end) => this.host.info(`Process ${launched.pid} ended: ${end}.`));
  }

  /** @param args a command that works in the folder `run`, with its arguments */
  private async launch(
    { node, copy }: Programs,
    run: string,
    args: readonly string[],
    waiting?: Pick<Launch, 'patience' | 'checks'>,
  ): Promise<void> {
    const { threads, keepRunsAfterClose } = this.host.settings();
    if (!keepRunsAfterClose) await this.leases.add(run);
    const limits = [
      ...(threads > 0 ? ['--threads', String(threads)] : []),
      ...(keepRunsAfterClose ? [] : ['--lease']),
    ];
    try {
      const launched = await launchTrainer({
        node,
        args: [copy.cli, ...args, ...limits],
        run,
        env: this.environment(),
        ...waiting,
      });
      this.host.info(`Process ${launched.pid} is training ${run}.`);
      // The trainer that starts removes an earlier trainer's requests, and the lease with them.
      if (!keepRunsAfterClose) await this.leases.add(run);
      void launched.ended.then((end) => this.host.info(`Process ${launched.pid} ended: ${end}.`));
    } catch (e) {
      this.leases.drop(run);
      throw e;
    }
  }

  private async prepare(): Promise<Programs> {
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

/** A sweep reports nothing until it has checked all its trials. */
const SWEEP_PATIENCE_MS = 30 * 60_000;

interface Programs {
  node: string;
  copy: RuntimeCopy;
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
