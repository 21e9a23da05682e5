import type { RunFacts, RunPageState, RunToPage, RunUpdate } from '../../../protocol/panels/run';
import { isExplained } from '../../../protocol/run-files/unexpected-end';
import { runPaths } from '../../../runs/layout';
import { runLabel } from '../../../runs/run-labels';
import { shownState } from '../../../runs/outcome';
import { shownOnCluster } from '../../../runs/sweep/cluster-file';
import { RunTail, type TailChange } from '../../../runs/run-tail';
import { stopReason } from '../../runs/label';
import { canRunAgain, isActive, isResumable } from '../../runs/shown-state';
import type { RunEntry } from '../../runs/store';
import { lossProblem } from '../../../tools/run-problem';
import { shortened } from '../../words/run-error';

/** Polling interval for visible runs that a trainer writes: at most four messages a second. */
const LIVE_MS = 250;
/** Polling interval for runs that nobody writes; one may be resumed. */
const IDLE_MS = 2000;
/** Maximum records per message (18 MB); the rest follows in the next. */
const RECORDS_PER_MESSAGE = 250_000;
/** Interval between the messages of one long history: ten a second. */
const CATCH_UP_MS = 100;

interface Sent {
  records: number;
  events: number;
  facts: string;
  resources: number;
  samples: boolean;
  pictures: boolean;
}

const NOTHING: Readonly<Sent> = {
  records: 0,
  events: 0,
  facts: '',
  resources: 0,
  samples: false,
  pictures: false,
};

/** Its name among the runs of its experiment, and its state according to a cluster's scheduler. */
export type Known = Pick<RunEntry, 'name' | 'number' | 'cluster' | 'end'>;

interface Followed {
  tail: RunTail;
  /** The part of it that the page has. */
  sent: Sent;
}

/** Sends a page the content of some run folders: everything on request, then updates while it is visible. */
export class RunFeed {
  private readonly runs: Followed[];
  private timer: NodeJS.Timeout | undefined;
  private looking = false;
  private visible = false;
  private whole = false;
  private disposed = false;

  constructor(
    folders: readonly string[],
    private readonly post: (message: RunToPage) => void,
    /** Called after each non-empty update. */
    private readonly told: () => void = () => undefined,
    /** The known facts about a run that its folder lacks. */
    private readonly known: (folder: string) => Known | undefined = () => undefined,
    /** The address that a page has for a file or folder. */
    private readonly address: (path: string) => string = (path) => path,
  ) {
    this.runs = folders.map((folder) => ({
      tail: new RunTail(folder),
      sent: { ...NOTHING },
    }));
  }

  tail(folder: string): RunTail | undefined {
    return this.runs.find((r) => r.tail.folder === folder)?.tail;
  }

  /** Sends everything, then updates, until `hide`. */
  snapshot(): void {
    this.visible = true;
    this.whole = true;
    this.after(0);
  }

  hide(): void {
    this.visible = false;
    clearTimeout(this.timer);
  }

  dispose(): void {
    this.disposed = true;
    this.hide();
  }

  private after(ms: number): void {
    clearTimeout(this.timer);
    if (this.visible && !this.disposed) this.timer = setTimeout(() => void this.tick(), ms);
  }

  private async tick(): Promise<void> {
    // The read in progress ends with its own message, which `whole` turns into a snapshot.
    if (this.looking) return;
    this.looking = true;
    const began = performance.now();
    const changes = await Promise.all(this.runs.map(({ tail }) => tail.look()));
    this.looking = false;
    const behind = this.send(changes);
    const active = this.runs.some(({ tail }) =>
      isActive(stateOf(tail, this.known(tail.folder)) as Parameters<typeof isActive>[0]),
    );
    const pause = behind ? CATCH_UP_MS : active ? LIVE_MS : IDLE_MS;
    // Measured between reads, however long a read takes; on a slow disk half of the time is left to others.
    this.after(Math.max(pause - (performance.now() - began), pause / 2));
  }

  /** Returns true if there is more to send than fits in one message. */
  private send(changes: readonly TailChange[]): boolean {
    this.runs.forEach((run, i) => takeBack(run, changes[i]));
    // Changes made while the page was hidden are in the next snapshot.
    if (!this.visible || this.disposed) return false;
    const type = this.whole ? 'snapshot' : 'append';
    if (this.whole) for (const run of this.runs) run.sent = { ...NOTHING };
    this.whole = false;
    const updates = this.runs
      .map((run, i) =>
        update(run, changes[i], type === 'snapshot', this.known(run.tail.folder), this.address),
      )
      .filter((u) => u !== undefined);
    if (updates.length > 0) {
      this.post({ type, now: Date.now(), updates });
      this.told();
    }
    return this.runs.some(({ tail, sent }) => sent.records < tail.records);
  }
}

/** Takes back the part that the page has after the first change, which is outdated. */
function takeBack({ sent }: Followed, { records, events, resources, ...files }: TailChange): void {
  sent.resources = Math.min(sent.resources, resources ?? Infinity);
  if (files.samples) sent.samples = false;
  if (files.pictures) sent.pictures = false;
  sent.records = Math.min(sent.records, records ?? Infinity);
  sent.events = Math.min(sent.events, events ?? Infinity);
}

function update(
  { tail, sent }: Followed,
  change: TailChange,
  whole: boolean,
  known: Known | undefined,
  address: (path: string) => string,
): RunUpdate | undefined {
  const update: RunUpdate = { run: tail.folder };
  const facts = factsOf(tail, known);
  const text = JSON.stringify(facts);
  if (whole || text !== sent.facts) update.facts = facts;
  if (whole || change.records !== undefined || sent.records < tail.records) {
    const from = sent.records;
    const to = Math.min(tail.records, from + RECORDS_PER_MESSAGE);
    update.records = { from, columns: [...tail.columns], values: tail.rows(from, to) };
    sent.records = to;
  }
  if (whole || change.events !== undefined || sent.events < tail.events.length) {
    update.events = { from: sent.events, list: tail.events.slice(sent.events) };
    sent.events = tail.events.length;
  }
  if (whole || change.resources !== undefined || sent.resources < tail.resources.records) {
    const { columns, records } = tail.resources;
    const from = sent.resources;
    update.resources = { from, columns: [...columns], values: tail.resources.rows(from) };
    sent.resources = records;
  }
  if (!sent.samples) {
    update.samples = tail.samples ?? null;
    sent.samples = true;
  }
  if (!sent.pictures) {
    const { pictures: index } = tail;
    update.pictures = index ? { index, folder: address(runPaths(tail.folder).pictures) } : null;
    sent.pictures = true;
  }
  sent.facts = text;
  return Object.keys(update).length > 1 ? update : undefined;
}

export function stateOf(
  { gone, error, failedEarly, summary, made }: RunTail,
  { cluster }: Known = {},
): RunPageState {
  if (gone) return 'gone';
  if (failedEarly) return 'failed';
  if (error) return 'damaged';
  if (!summary) return 'starting';
  const own = shownState(summary, made);
  return cluster ? shownOnCluster(own, stopReason(summary), cluster) : own;
}

export function factsOf(tail: RunTail, known: Known = {}): RunFacts {
  const { summary, user, trial } = tail;
  const { name, number, end } = known;
  const state = stateOf(tail, known);
  // The reason for a failure comes first.
  const failed = state === 'failed' ? summary?.events.findLast((e) => e.kind === 'failed') : undefined;
  const lost = state === 'lost' && end && isExplained(end) ? lossProblem(end) : undefined;
  const error = tail.error ?? failed ?? lost ?? tail.curveError;
  const id = tail.folder.split(/[\\/]/).pop()!;
  return {
    name: runLabel({ user, name, number, id, run: summary, trial }),
    id,
    experiment: summary?.spec.name,
    note: user.note,
    tags: user.tags,
    state,
    canResume: isResumable({ state, run: summary }),
    canRunAgain: canRunAgain({ state, run: summary, trial }),
    spec: summary?.spec,
    status: summary?.status,
    result: summary?.result,
    checkpoints: tail.checkpoints,
    error: error && shortened({ folder: tail.folder, experiment: '', run: summary }, error),
  };
}
