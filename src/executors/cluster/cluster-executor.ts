import { readdirSync } from 'node:fs';
import { AuroraError } from '../../base/errors';
import { type ClusterFile, type ClusterTrial, isWithScheduler } from '../../protocol/run-files/cluster';
import { isBusy, type TrialView } from '../../runs/sweep/look';
import { runOf, sweepPaths, type TrialRecord } from '../../runs/sweep/record';
import type { Executor, Submitted, SweepTrials, TrialTask } from '../executor';
import type { Cluster, Sending } from './cluster';
import type { JobState } from './scheduler';
import { StatusFile } from './status-file';
import { copiedText, Submissions } from './submissions';
import {
  type Current,
  type Entry,
  isFinal,
  isGivenUp,
  isSubmitted,
  isUncertain,
  requireSameCluster,
  SubmittedTrials,
  trialState,
  unsubmitted,
} from './submitted-trials';
import { createSubmission, Submitter } from './submitter';

/** The looks after which a shared disk shows the files of a node: a client of NFS caches them for a minute. */
const SETTLED_LOOKS = 6;
/** A trial that was asked to save and end gets this long, in ms, before its job is cancelled. */
const STOP_MS = 300_000;

export interface ClusterOptions {
  executor: ClusterFile['executor'];
  /** Milliseconds between two looks. */
  interval: number;
  /** This process looks once: a trial that has ended without saying how is submitted again at once. */
  once: boolean;
  /** True if this process submits nothing, not even the rest of a submission. */
  submitsNothing: boolean;
  /** Gets whole sentences. */
  warn(message: string): void;
  /** Called now and then while models and data are sent. */
  sending(now: Sending): void;
}

/**
 * Trains trials on a cluster. Its scheduler decides who runs where and when; this submits, asks, cancels and collects.
 * All state is on disk and in the scheduler, so that any process can continue, on any machine that reaches both.
 */
export class ClusterExecutor implements Executor {
  readonly interval: number;
  readonly outlives = true;
  private readonly submissions: Submissions;
  private readonly submitter: Submitter;
  private readonly status: StatusFile;
  private readonly submitted = new SubmittedTrials();
  private views: readonly TrialView[] = [];
  private loaded = false;
  private isSame = false;
  private at = 0;
  private down: ClusterFile['unreachable'];
  private sent: Sending | undefined;
  /** The time when a submission was last refused, in ms of a monotonic clock. */
  private refusedAt = -Infinity;
  private readonly warned = new Set<string>();
  private readonly collected = new Set<string>();

  constructor(
    private readonly sweep: SweepTrials,
    private readonly cluster: Pick<Cluster, 'place' | 'scheduler' | 'files'>,
    private readonly options: ClusterOptions,
  ) {
    this.interval = options.interval;
    this.submissions = new Submissions(sweep.folder);
    this.submitter = new Submitter(sweep, cluster, this.submissions, (now) => this.sending(now));
    this.status = new StatusFile(sweep.folder);
  }

  async follow(records: readonly TrialRecord[]): Promise<readonly TrialView[]> {
    this.load(records);
    const { runs } = this.sweep;
    const { files, scheduler } = this.cluster;
    const { warn } = this.options;
    const answers = await this.reaching(async () => {
      await this.ask();
      await files.follow(records.filter((r) => this.mayGrow(r)).map((r) => runOf(r, runs)!));
    });
    if (answers && this.down) warn(`${scheduler.name} is responding again.`);
    if (answers) this.down = undefined;
    this.views = records.map((record) => this.view(record));
    this.write();
    return this.views.map((view) => this.withLoss(view));
  }

  async submit(tasks: readonly TrialTask[], trials: readonly TrialView[]): Promise<Submitted> {
    const none: Submitted = { trials: [], elsewhere: new Map() };
    const { room, specs } = this.sweep;
    const parallel = this.submitted.room(room.parallel < specs.size ? room.parallel : undefined);
    if (this.down || parallel === 0 || this.isRefusing()) return none;
    if (!(await this.reaching(() => this.submitter.check()))) return none;
    this.at = Date.now();
    const steps = new Map(trials.map((t) => [t.record.id, t.step]));
    const entry = {
      submission: await createSubmission(
        this.submissions,
        this.sweep,
        this.cluster.files,
        tasks,
        steps,
        parallel,
      ),
    };
    this.submitted.add(entry);
    for (const current of this.submitted.currentOf(entry)) current.isNew = true;
    for (const { record } of tasks) this.collected.delete(record.id);
    try {
      await this.reaching(() => this.submitter.complete(entry));
    } catch (e) {
      const isGone = this.refused(entry, e);
      if (isGone) return none;
    }
    return { ...none, trials: tasks.map(({ record }) => record.id) };
  }

  async cancel(trials: readonly TrialView[]): Promise<void> {
    const { files, scheduler } = this.cluster;
    if (!(await this.reaching(() => this.withdraw(trials)))) return;
    const running: string[] = [];
    const queued = new Map<Entry, Current[]>();
    for (const { record, folder, state } of trials) {
      const current = this.submitted.of(record.id);
      // Withdrawn.
      if (state === 'queued' && (!current || current.done)) continue;
      const isRunning = !current || current.job?.state === 'running';
      if (isRunning && folder !== undefined) running.push(folder);
      if (!current) continue;
      current.cancelled ??= performance.now();
      // A task that is about to begin has no folder for a request yet; it saves on SIGTERM, too.
      if (isRunning && performance.now() - current.cancelled <= STOP_MS) continue;
      if (!queued.has(current.entry)) queued.set(current.entry, []);
      queued.get(current.entry)!.push(current);
    }
    await this.reaching(async () => {
      if (running.length > 0) await files.request(running, 'stop');
      for (const [entry, some] of queued) {
        const all = some.length === entry.submission.tasks.length;
        await scheduler.cancel(entry.submission, all ? 'all' : some.map(({ index }) => index));
      }
    });
  }

  async collect(trials: readonly TrialView[]): Promise<boolean> {
    // Trials of this sweep that the cluster never had are here.
    const left = trials.filter(
      ({ record, folder }) =>
        folder !== undefined && this.submitted.of(record.id) && !this.collected.has(record.id),
    );
    if (left.length === 0) return true;
    const folders = left.map(({ folder }) => folder!);
    if (this.down || !(await this.reaching(() => this.cluster.files.collect(folders)))) return false;
    for (const { record } of left) this.collected.add(record.id);
    this.write();
    return true;
  }

  async tidy(): Promise<void> {
    const { files } = this.cluster;
    // Nothing has happened there since the sweep was over.
    if (this.at === 0) return;
    try {
      await files.removeThere(sweepPaths(this.sweep.folder).frozen);
    } catch (e) {
      if (!isUnreachable(e)) throw e;
      this.options.warn(`${e.message} What its trials shared was left there.`);
    }
  }

  /**
   * Copies here all that the cluster may have of these trials, none of which waits or runs: also their checkpoints, and
   * the files that a look did not have the time to copy.
   *
   * @returns true if all of it is here
   */
  async bringAll(records: readonly TrialRecord[]): Promise<boolean> {
    const { files } = this.cluster;
    const { runs } = this.sweep;
    const all = records.filter(({ id }) => this.submitted.of(id));
    const folders = (some: readonly TrialRecord[]) => some.map((record) => runOf(record, runs)!);
    const bring = async () => {
      await files.collect(folders(all.filter(({ id }) => !this.collected.has(id))));
      await files.collectCheckpoints?.(folders(all));
    };
    return !this.down && this.reaching(bring);
  }

  /** The cluster has nothing more to do with the sweep: trials are elsewhere from now on, and their files are here. */
  leave(): void {
    this.submissions.leave();
    this.status.remove();
  }

  /**
   * Tasks that the scheduler does not have yet, because of a limit of jobs or since it did not answer, are not
   * submitted any more: otherwise each look would submit more tasks that are to be cancelled.
   */
  private async withdraw(trials: readonly TrialView[]): Promise<void> {
    const entries = new Set(
      trials.flatMap(({ record }) => {
        const current = this.submitted.of(record.id);
        return current && this.isPending(current) ? [current.entry] : [];
      }),
    );
    // A submission that may still appear is cancelled then: its trials wait until that is known.
    for (const entry of entries) if (await this.submitter.withdraw(entry)) this.submitted.withdraw(entry);
  }

  /** Loads earlier submissions, and the scheduler's answers at the time: it forgets jobs that have ended. */
  private load(records: readonly TrialRecord[]): void {
    if (this.loaded) return;
    this.loaded = true;
    const { own, copied } = this.submissions.read();
    const entries = own.map((submission): Entry => ({ submission }));
    for (const entry of entries) this.submitted.add(entry);
    const known = this.status.read();
    for (const { submission } of entries) {
      const waited = submission.tasks.flatMap(({ trial }, i) =>
        known.get(trial)?.state === 'queued' ? [i] : [],
      );
      this.cluster.scheduler.remember?.(submission, waited, Date.now() - this.status.seenAt);
    }
    for (const record of records) {
      const current = this.submitted.of(record.id);
      if (!current) continue;
      current.job = known.get(record.id);
      if (current.job?.collected) this.collected.add(record.id);
      // The scheduler is not asked about tasks that have finished long ago.
      const seen = this.sweep.looker.look(record, runOf(record, this.sweep.runs));
      if (seen.state !== 'finished') continue;
      current.done = true;
      current.seen = { ...seen, ...(current.job && { cluster: { ...current.job, state: 'finished' } }) };
    }
    const left = records.filter(
      (r) =>
        !this.submitted.of(r.id) && this.sweep.looker.look(r, runOf(r, this.sweep.runs)).state !== 'finished',
    );
    const text = copiedText(copied, new Set(left.map(({ id }) => id)));
    if (text !== undefined) this.options.warn(text);
  }

  private async ask(): Promise<void> {
    if (!this.isSame) this.isSame = await requireSameCluster(this.cluster.scheduler, this.submitted.live());
    for (const entry of this.submitted.unfinished())
      try {
        await this.bring(entry);
      } catch (e) {
        this.refused(entry, e);
      }
    const live = this.submitted.unfinished();
    const answers = live.length > 0 ? await this.cluster.scheduler.states(live.map((e) => e.submission)) : [];
    live.forEach((entry, i) => {
      for (const current of this.submitted.currentOf(entry))
        this.told(current, answers[i]?.get(current.index));
    });
    if (live.length > 0) this.at = Date.now();
  }

  /** Submits the tasks that a limit of jobs, a lost answer or a kill has left of a submission. */
  private async bring(entry: Entry): Promise<void> {
    const { submitsNothing } = this.options;
    if (unsubmitted(entry.submission) > 0 && !submitsNothing && !this.isRefusing())
      await this.submitter.complete(entry);
    else await this.submitter.settle(entry);
    if (isGivenUp(entry.submission)) this.submitted.withdraw(entry);
  }

  private told(current: Current, state: JobState | undefined): void {
    const { log, ...rest } = state ?? ({} as Partial<JobState>);
    const here = log === undefined ? undefined : this.cluster.files.here(log);
    const before = current.job;
    if (state) current.job = { ...rest, log: here } as ClusterTrial;
    // Forgotten: how it ended is still known, if this or an earlier process has seen it.
    else if (current.cancelled !== undefined && before) current.job = { ...before, state: 'cancelled' };
    else if (!before || isWithScheduler(before)) current.job = undefined;
    const isThere = this.isPending(current) || (current.job && isWithScheduler(current.job));
    current.gone = isThere ? 0 : current.gone + 1;
  }

  private view(record: TrialRecord): TrialView {
    const { runs, looker } = this.sweep;
    const { once } = this.options;
    const folder = runOf(record, runs);
    const current = this.submitted.of(record.id);
    if (!current) return looker.look(record, folder);
    const { job, entry, index, seen, isNew } = current;
    // Nothing more can happen to it, or nothing has.
    if (current.done && seen && isFinal(seen)) return seen;
    const isWaiting = job?.state === 'queued' && !job.restarts && seen && seen.folder === undefined;
    if (folder !== undefined && job && !isWithScheduler(job)) revalidate(folder);
    const found = isWaiting ? seen : looker.look(record, folder);
    const settled = current.gone > (once && !isNew ? 0 : SETTLED_LOOKS);
    const view: TrialView =
      this.isPending(current) && found.state !== 'finished'
        ? { ...found, state: 'queued' }
        : trialState(found, entry.submission.tasks[index]!, job, settled);
    // Even if the scheduler does not know the task any more, nobody may have to conclude it from its silence.
    if (view.state === 'lost') view.cluster ??= { state: 'lost', job: `${entry.submission.name}-${index}` };
    current.done = !isBusy(view);
    current.seen = isFinal(view) ? view : found;
    return view;
  }

  private withLoss(view: TrialView): TrialView {
    const lost = this.status.lossOf(view.record.id);
    return lost && view.cluster ? { ...view, cluster: { ...view.cluster, lost } } : view;
  }

  /** True if the run's folder on the cluster may have grown since the last look. */
  private mayGrow({ id }: TrialRecord): boolean {
    const current = this.submitted.of(id);
    if (!current || current.done || this.isPending(current)) return false;
    return !(current.job?.state === 'queued' && !current.job.restarts);
  }

  /** True if its submission is written, and the scheduler may not have it yet. */
  private isPending({ entry: { submission }, index }: Current): boolean {
    return !isSubmitted(submission, index);
  }

  /**
   * While the cluster has trials, a refusal does not end their sweep: the queue may get shorter.
   *
   * @returns true if nothing of the submission is there
   * @throws the error, if there is nothing to wait for
   */
  private refused(entry: Entry, e: unknown): boolean {
    if (isUnreachable(e)) throw e;
    const { folder, jobs } = entry.submission;
    const isGone = jobs.length === 0 && !isUncertain(entry.submission);
    if (isGone) {
      this.submissions.remove(folder);
      this.submitted.remove(entry);
    }
    if (!(e instanceof AuroraError) || this.submitted.live().length === 0) throw e;
    this.refusedAt = performance.now();
    if (!this.warned.has(e.message))
      this.options.warn(`${e.message} The other trials are not affected; it will be tried again.`);
    this.warned.add(e.message);
    return isGone;
  }

  /** Ten thousand tasks are not offered again at every look. */
  private isRefusing(): boolean {
    return performance.now() - this.refusedAt < SETTLED_LOOKS * this.interval;
  }

  /**
   * A cluster that does not answer loses nothing: known states stay, and the next look tries again.
   *
   * @returns true if it answered
   * @throws AuroraError 'network' if it never has, and nothing of the sweep is there
   */
  private async reaching(action: () => Promise<void>): Promise<boolean> {
    try {
      await action();
      return true;
    } catch (e) {
      const isNew = this.at === 0 && this.submitted.unfinished().length === 0;
      if (!isUnreachable(e) || isNew || this.options.once) throw e;
      if (!this.down) this.options.warn(`${e.message} Nothing is lost; polling continues until it responds.`);
      this.down ??= { since: Date.now(), message: e.message };
      return false;
    }
  }

  private sending(now: Sending | undefined): void {
    if (percent(now) === percent(this.sent)) return;
    this.sent = now;
    if (now) this.options.sending(now);
    try {
      this.write();
    } catch {
      // This is not part of the work, and the next look reports a disk that is full.
    }
  }

  private write(): void {
    const { executor } = this.options;
    const { place } = this.cluster;
    const trials = Object.fromEntries(
      this.views.flatMap(({ record: { id }, cluster }) =>
        cluster ? [[id, { ...cluster, ...(this.collected.has(id) && { collected: true as const }) }]] : [],
      ),
    );
    this.status.write(
      {
        ...{ version: 1, executor, place, at: this.at },
        ...(this.cluster.files.collectCheckpoints && { keepsCheckpoints: true }),
        unreachable: this.down,
        sending: this.sent,
        trials,
      },
      new Map(this.views.map(({ record, step }) => [record.id, step])),
    );
  }
}

const percent = (now: Sending | undefined): number | undefined =>
  now && Math.floor((100 * now.sent) / Math.max(now.bytes, 1));

const isUnreachable = (e: unknown): e is AuroraError => e instanceof AuroraError && e.kind === 'network';

/** Opening a folder makes a client of NFS ask for its present content. */
function revalidate(folder: string): void {
  try {
    readdirSync(folder);
  } catch {
    // The look reports its problem.
  }
}
