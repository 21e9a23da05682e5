import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { AuroraError } from '../../../base/errors';
import { escapeControls } from '../../../base/escape';
import { type Launch, launchTrainer } from '../../../executors/local/launch-trainer';
import { type ProgramResult, type RunningProgram, startProgram } from '../../../executors/local/program';
import { stopRun } from '../../../executors/local/stop';
import { writeAtomic } from '../../../files/atomic';
import type { UnexpectedEnd } from '../../../protocol/run-files/unexpected-end';
import { lossOf } from '../../../runs/ended/unexpected';
import { agreedArguments } from '../../../runs/experiment/agreed-text';
import { readText } from '../../../runs/experiment/load';
import {
  createFolder,
  createRun,
  experimentOf,
  experimentRuns,
  experimentSweeps,
  runPaths,
} from '../../../runs/layout';
import { readForTable, readOne, type RowRead, tableFolders } from '../../../runs/runs-table';
import { readSweep, type TrialOf, trialOf } from '../../../runs/sweep/record';
import { runProblem } from '../../../tools/run-problem';
import type { ToolHost, ToolRun } from '../../../tools/tool';

/** A sweep reports nothing until it has checked all its trials. */
const SWEEP_PATIENCE_MS = 30 * 60_000;
const HINT = 'Install AuroRA Lab again, or start the server with another Node.';

/** One call of a tool. */
export type Call = Pick<ToolHost, 'signal' | 'progress'>;

/**
 * The services of the server for tools: it reads the run folders, and runs the commands of this program. Trainers are
 * separate processes, which continue when the server ends, as the editor's do when its window is reloaded.
 */
export class ServerHost {
  private readonly programs = new Set<RunningProgram>();

  /**
   * @param folders of the workspace, absolute
   * @param place options that select threads, engine and device
   * @param cli this program, dist/cli.cjs
   */
  constructor(
    private readonly folders: readonly string[],
    private readonly place: readonly string[],
    private readonly cli: string,
  ) {}

  /** Ends the commands that work on an answer, and everything that they started. */
  async end(): Promise<void> {
    const ended = [...this.programs].map((program) => program.ended);
    for (const program of this.programs) program.kill('lost its client', true);
    await Promise.allSettled(ended);
  }

  forCall({ signal, progress }: Call): ToolHost {
    const { folders, place } = this;
    /** Names among an experiment's runs, which take reading all of them. */
    const labels = new Map<string, string>();
    return {
      ...{ folders, signal, progress },
      shown: (path) => this.shown(path),
      hint: (text) => text,
      markup: { file: plain, words: plain },
      text: (file) => Promise.resolve(readText(file)),
      save: () => Promise.resolve(),
      runs: () => Promise.resolve(this.runs(labels)),
      refresh: (folder) => refreshed(folder, labels),
      program: (args, onLine) => this.program(args, signal, onLine),
      place: () => [...place],
      start: (file, overrides, text) =>
        this.newRun(experimentRuns(file), ['train', file, ...sets(overrides)], text),
      fork: (run, step, overrides) =>
        this.newRun(dirname(run), ['train', '--fork', run, '--at', String(step), ...sets(overrides)]),
      startSweep: (file, folder, text) => {
        createFolder(folder);
        return this.launch(folder, ['sweep', file, ...agreedArguments(text)], {
          patience: SWEEP_PATIENCE_MS,
          checks: true,
        });
      },
      stop: (folder) => stopRun(folder),
    };
  }

  private runs(labels: Map<string, string>): ToolRun[] {
    const isOnCluster = onClusters();
    return readForTable(tableFolders(this.folders, true)).map((read) => {
      labels.set(read.run.folder, read.run.name);
      return toolRun(read, read.run.name, { isOnCluster });
    });
  }

  private async program(
    args: readonly string[],
    signal: AbortSignal,
    onLine?: (line: string) => void,
  ): Promise<ProgramResult> {
    const { cli, folders } = this;
    const program = startProgram({
      ...{ node: process.execPath, args: [cli, ...args], cwd: folders[0], env: process.env, onLine },
      timeout: Infinity,
      hint: HINT,
    });
    const cancel = () => program.kill('was canceled');
    if (signal.aborted) cancel();
    signal.addEventListener('abort', cancel);
    this.programs.add(program);
    return program.ended.finally(() => {
      signal.removeEventListener('abort', cancel);
      this.programs.delete(program);
    });
  }

  /**
   * Starts a trainer in a new run folder, which is discarded if none came to work in it.
   *
   * @param text of the experiment, which it reads in place of the file
   */
  private async newRun(runs: string, args: readonly string[], text?: string): Promise<string> {
    const run = createRun(runs);
    try {
      if (text !== undefined) writeAtomic(runPaths(run).source, text, run);
      await this.launch(run, [...args, '--run', run]);
      return run;
    } catch (e) {
      // Without an experiment it is not a usable run, and the error has the reason.
      if (!existsSync(runPaths(run).spec)) await rm(run, { recursive: true, force: true });
      throw e;
    }
  }

  private async launch(
    folder: string,
    args: readonly string[],
    waiting: Pick<Launch, 'patience' | 'checks'> = {},
  ): Promise<void> {
    const { cli, place } = this;
    const trainer = await launchTrainer({
      ...{
        node: process.execPath,
        args: [cli, ...args, ...place],
        run: folder,
        env: process.env,
        hint: HINT,
      },
      ...waiting,
    });
    process.stderr.write(`Process ${trainer.pid} works in ${folder}.\n`);
  }

  /** A path as the model names it: relative to its folder of the workspace, whose name comes first if there are several. */
  private shown(path: string): string {
    const { folders } = this;
    const home = folders.find((folder) => path === folder || path.startsWith(folder + sep));
    if (home === undefined) return path;
    const way = relative(home, path).split(sep).join('/') || '.';
    return folders.length === 1 ? way : `${basename(home)}/${way}`;
  }
}

/** A form shows plain text: a name must not begin a new paragraph. */
const plain = (text: string): string => escapeControls(text);

const sets = (overrides: readonly string[]): string[] => overrides.flatMap((o) => ['--set', o]);

async function refreshed(folder: string, labels: ReadonlyMap<string, string>): Promise<ToolRun> {
  const label = labels.get(folder);
  const read = label === undefined ? readForTable([folder])[0] : readOne(folder);
  const end = read.run.state === 'lost' && read.run.run ? await lossOf(read.run.run) : undefined;
  return toolRun(read, label ?? read.run.name, { end, isOnCluster: onClusters() });
}

interface Known {
  /** The known facts about the end of a lost run. */
  end?: UnexpectedEnd;
  isOnCluster(experiment: string, trial: TrialOf | undefined): boolean;
}

function toolRun({ run: read, error }: RowRead, label: string, { end, isOnCluster }: Known): ToolRun {
  const { folder, id, state, run } = read;
  const experiment = experimentOf(folder);
  const trial = trialOf(folder);
  return {
    ...{ folder, id, experiment, label, state, run, trial },
    isOnCluster: isOnCluster(experiment, trial),
    problem: () => runProblem({ state, run, error, end }),
  };
}

/** Finds the trials that a cluster trains; each sweep is read once. */
function onClusters(): Known['isOnCluster'] {
  const known = new Map<string, boolean>();
  return (experiment, trial) => {
    if (!trial) return false;
    const folder = join(experimentSweeps(experiment), trial.sweep);
    const before = known.get(folder);
    if (before !== undefined) return before;
    const found = isOnCluster(folder);
    known.set(folder, found);
    return found;
  };
}

/** False also for a damaged sweep: its trials are ordinary runs. */
function isOnCluster(sweep: string): boolean {
  try {
    return readSweep(sweep)?.on !== undefined;
  } catch (e) {
    if (e instanceof AuroraError) return false;
    throw e;
  }
}
