import type { Experiment } from '../../experiment/experiment';
import { rememberHash } from '../../files/hash';
import { identifyData } from '../../files/identify-data';
import { identify, sameIdentity, sameWriting } from '../../files/identity';
import type { InputChange } from '../../protocol/events';
import { changeWords } from '../../protocol/inputs-words';
import { distrustTimes, readInputs } from '../../runs/inputs';
import type { Journal } from '../../runs/journal/journal';
import type { TaskData } from '../../tasks/task-data';
import type { LoopEnd } from '../loop/loop';
import { hashInBackground, Rehash } from './hashing';
import { ModelWatch } from './model-watch';
import { RunInputs } from './run-inputs';

export interface GuardOptions {
  run: string;
  spec: Experiment;
  /** The step at which this process starts. */
  from: number;
  /** Changed files that the user has accepted; undefined if nobody was asked. */
  accepted: readonly InputChange[] | undefined;
  /** The built hash-worker. */
  worker: string;
}

/** Ensures that a run trains on one set of files, which its folder records. */
export class InputGuard {
  private readonly watch: ModelWatch;

  private constructor(
    private readonly options: GuardOptions,
    private readonly inputs: RunInputs,
    folder: string,
  ) {
    const { run, worker } = options;
    const rehash = new Rehash((paths) => hashInBackground({ paths, again: true }, worker));
    this.watch = new ModelWatch(inputs, folder, rehash, distrustIn(run));
  }

  /**
   * Call before any of the files is read.
   *
   * @param folder the folder for the runtime's graphs
   */
  static async begin(options: GuardOptions, folder: string): Promise<InputGuard> {
    return new InputGuard(options, await RunInputs.begin(options.spec), folder);
  }

  /** Calls a reader of the run's files: each file that it opens or tries to open counts as an input. */
  reading<T>(read: () => T): T {
    return this.inputs.reading(read);
  }

  /** Call before and after each session is opened except the first, and after that one. */
  opened(step: number): void {
    this.watch.opened(step);
  }

  /** Starts hashing. Call after memory has been measured: the hashing thread needs memory too. */
  hash(): void {
    this.inputs.hash(this.options.worker);
  }

  /** Records the files' state before the first step. */
  announce(journal: Journal, warn: (message: string) => void, data: TaskData): void {
    const { run, from, accepted = [], spec } = this.options;
    if (accepted.length > 0) {
      journal.append({
        kind: 'inputs-accepted',
        step: from,
        files: [...accepted],
        trainExamples: data.train.dataset.examples.length,
        validationExamples: data.validation.dataset.examples.length,
      });
      warn(
        `${accepted.map(changeWords).join('. ')}. Training continues at step ${from} with the files as they are now, as requested.`,
      );
      if (spec.data.validation === undefined && accepted.some(changesRows))
        warn(
          `The validation examples are a share of the training data (data.validationFraction) and were drawn again from the changed file: evaluations after step ${from} use other examples than those before, and some of them may have been trained on.`,
        );
    } else if (from > 0 && !readInputs(run))
      warn(
        `The files that this run was trained on up to step ${from} were not recorded, so changes to its model, tokenizer and data cannot be detected. They are recorded from here on.`,
      );
  }

  /** @throws AuroraError 'inputs' if somebody wrote to the model; call before anything of a step is recorded */
  check(step: number): void {
    this.watch.check(step);
  }

  /**
   * Checks the inputs at an evaluation: from time to time, the runtime's mapped files are also re-read on another
   * thread.
   */
  evaluated(step: number): void {
    this.watch.evaluated(step);
  }

  /** Checks the inputs with certainty; afterwards inputs.json is on disk. */
  async verified(step: number): Promise<void> {
    const { run, from, accepted = [] } = this.options;
    await this.inputs.recorded(run, from, accepted.length > 0);
    await this.watch.verify(step);
  }

  /**
   * Checks the inputs when training has ended. If the run has reached its end, the runtime's mapped files are re-read
   * once more.
   */
  async ended(step: number, end: LoopEnd): Promise<void> {
    await this.verified(step);
    if (end === 'finished' || end === 'early-stopping') await this.watch.verifyContent(step);
  }

  /** @param close removes the runtime's graphs, and with them our links: the hashes must outlive those */
  async end(close: () => Promise<void> | undefined): Promise<void> {
    this.inputs.cancel();
    this.watch.cancel();
    const same = [...this.inputs.hashed].filter(([path, { identity, settled }]) => {
      const now = identifyData(path);
      return settled && now !== undefined && sameIdentity(identity, now);
    });
    await close();
    for (const [path, { identity, sha256 }] of same) {
      const now = identify(path);
      if (now && sameWriting(identity, now) && !sameIdentity(identity, now)) rememberHash(now, sha256);
    }
  }
}

/** True if other examples are held out: other rows, or other rows that can be used. */
const changesRows = ({ role, image, before, after }: InputChange): boolean =>
  role === 'train' && (!image || before === null || after === null);

/** A refused disk write must not hide that the model was changed. */
const distrustIn = (run: string) => (path: string) => {
  try {
    distrustTimes(run, path);
  } catch {
    return;
  }
};
