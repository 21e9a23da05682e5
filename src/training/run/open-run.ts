import type { Evaluator } from '../../engine/stepper';
import type { Experiment } from '../../experiment/experiment';
import type { StopReason } from '../../protocol/events';
import { HeldFolder } from '../../runs/held';
import { Journal } from '../../runs/journal/journal';
import { runPaths } from '../../runs/layout';
import { attempt } from '../process/failure';
import { LEASE_MS, Pulse } from '../process/pulse';
import type { TrainOutcome } from './conclude';
import type { RunContext } from './context';
import { graphFolderOf } from './graph-folder';
import type { TrainListener, TrainOptions } from './options';

/** A run whose folder this process writes, from before anything is read, and the known facts about it if it fails. */
export class OpenRun {
  readonly run: string;
  readonly spec: Experiment;
  readonly listener: TrainListener;
  readonly pulse: Pulse;
  /** The folder of the runtime's graphs. */
  readonly graphs: string;
  /** The last step that was trained. */
  step = 0;
  /** Undefined if none is open. The code that ends the run disposes of it. */
  stepper: Evaluator | undefined;
  /** Set once there is a state to save. */
  training: RunContext | undefined;
  /** Set once the journal has the run's last line. */
  outcome: TrainOutcome | undefined;

  private constructor(
    readonly options: TrainOptions,
    readonly held: HeldFolder,
    readonly journal: Journal,
  ) {
    this.run = options.run;
    this.spec = options.spec;
    this.listener = options.listener;
    this.graphs = graphFolderOf(this.run, this.spec);
    this.pulse = Pulse.start(this.run, options.pulseWorker, {
      ...(options.lease && { lease: LEASE_MS }),
      resources: true,
      warn: (message) => void attempt(() => this.warn(message)),
    });
  }

  static open(options: TrainOptions): OpenRun {
    const { run } = options;
    const held = HeldFolder.open(run);
    const journal = Journal.open(runPaths(run).events);
    held.watch(runPaths(run).events);
    return new OpenRun(options, held, journal);
  }

  readonly warn = (message: string): void => {
    this.journal.append({ kind: 'warning', message });
    this.listener.warning(message);
  };

  stopRequested(): StopReason | undefined {
    // A scheduler starts a run again that it ended, so the user's request outweighs its signal.
    const signalled = this.options.interrupted();
    return signalled === 'requested' ? signalled : (this.pulse.stopRequested() ?? signalled);
  }

  close(): void {
    this.journal.close();
    this.held.close();
  }
}
