import { own } from '../../../base/names';
import type { PageTrial, SweepFacts, SweepToPage } from '../../../protocol/panels/sweep';
import { trialLabel } from '../../runs/label';
import type { OnCluster, RunEntry, SweepEntry } from '../../runs/store';
import { trialRow } from '../../words/cluster/trial-row';
import { type RowContext, runRow } from '../../words/run-row';
import { factsOf, settingsOf } from './sweep-facts';
import { pageTrial } from './page-trial';

/** The editor's side, so that the rest runs without VS Code. */
export interface SweepHost {
  post(message: SweepToPage): void;
  /** The sweep with the runs of its experiment, or why there is none; `unwritten`: its check is not over yet. */
  read(): Promise<{ sweep: SweepEntry; runs: readonly RunEntry[] } | 'gone' | 'unwritten'>;
  context(): RowContext;
  failed(error: unknown): void;
}

interface Shown {
  /** The sources of its content: it is unchanged as long as these are. */
  from: readonly unknown[];
  trial: PageTrial;
  text: string;
}

/** Sends a page its sweep: everything on request, then only the changes, until `hide`. */
export class SweepSession {
  private trials = new Map<string, Shown>();
  private facts: SweepFacts | undefined;
  private visible = false;
  /** The looks, one after the other. */
  private looks: Promise<void> = Promise.resolve();

  constructor(private readonly host: SweepHost) {}

  snapshot(): void {
    this.visible = true;
    this.queue(true);
  }

  /** Sends the changes since the last message. */
  look(): void {
    if (this.visible) this.queue(false);
  }

  hide(): void {
    this.visible = false;
  }

  private queue(whole: boolean): void {
    this.looks = this.looks.then(() => this.send(whole)).catch((e: unknown) => this.failed(e));
  }

  private failed(e: unknown): void {
    this.host.failed(e);
    this.host.post({ type: 'error', message: e instanceof Error ? e.message : String(e) });
  }

  private async send(whole: boolean): Promise<void> {
    const read = await this.host.read();
    if (!this.visible || read === 'unwritten') return;
    const before = this.facts;
    if (read !== 'gone') {
      const { sweep, runs } = read;
      const changed = this.update(sweep, runs);
      const facts = JSON.stringify(this.facts) !== JSON.stringify(before) ? this.facts : undefined;
      // A trial that is gone can only be shown by sending the others.
      if (whole || changed === undefined) this.sendAll();
      else if (facts || changed.length > 0) this.host.post({ type: 'changes', facts, trials: changed });
      return;
    }
    this.facts = { ...(before ?? NOTHING), state: 'gone', canResume: false };
    if (whole) this.sendAll();
    else if (before?.state !== 'gone') this.host.post({ type: 'changes', facts: this.facts, trials: [] });
  }

  private sendAll(): void {
    this.host.post({
      type: 'sweep',
      facts: this.facts!,
      trials: [...this.trials.values()].map((s) => s.trial),
    });
  }

  /** Returns the trials that have changed; undefined if some are gone. */
  private update(sweep: SweepEntry, runs: readonly RunEntry[]): PageTrial[] | undefined {
    const { record } = sweep;
    const context = this.host.context();
    const byId = new Map(runs.map((r) => [r.id, r]));
    const pairs = record.trials.map((trial) => ({
      trial,
      entry: trial.run === undefined ? undefined : byId.get(trial.run),
    }));
    const known = pairs.flatMap(({ trial, entry }) =>
      entry?.run ? [{ settings: trial.settings, spec: entry.run.spec }] : [],
    );
    const first = known.at(0)?.spec;
    const next = new Map<string, Shown>();
    const changed: PageTrial[] = [];
    for (const { trial, entry } of pairs) {
      const said = sweep.cluster && own(sweep.cluster.trials, trial.id);
      const cluster = said && { executor: sweep.cluster!.executor, ...said };
      // The file is read as a whole whenever a trial in it changes.
      const text = cluster && JSON.stringify(cluster);
      const runNumber = sweep.numbers?.get(trial.id);
      const name = trialLabel(sweep, trial, entry);
      const state = [entry?.run, entry?.state, entry?.error?.message, name, runNumber];
      const from = [trial, ...state, context.trusted, first, text];
      const before = this.trials.get(trial.id);
      if (before && before.from.every((v, i) => v === from[i])) {
        next.set(trial.id, before);
        continue;
      }
      const shown = pageTrial(
        trial,
        settingsOf(trial.settings, record.varied, entry?.run?.spec, known),
        { name, runNumber },
        entry,
        { metric: record.metric, can: capabilities(name, entry, cluster, context) },
        cluster,
      );
      const sent = JSON.stringify(shown);
      if (before?.text !== sent) changed.push(shown);
      next.set(trial.id, { from, trial: shown, text: sent });
    }
    const isGone = [...this.trials.keys()].some((id) => !next.has(id));
    this.trials = next;
    const ids = new Set(pairs.flatMap(({ entry }) => entry?.id ?? []));
    this.facts = factsOf(
      sweep,
      runs.filter((r) => ids.has(r.id)),
      context,
    );
    return isGone ? undefined : changed;
  }
}

function capabilities(
  label: string,
  entry: RunEntry | undefined,
  cluster: OnCluster | undefined,
  context: RowContext,
): string[] {
  if (entry) return runRow(entry, context).capabilities;
  return cluster ? trialRow({ label, cluster }, context).capabilities : [];
}

/** The facts of a sweep that was deleted before it was shown. */
const NOTHING: SweepFacts = {
  folder: '',
  experiment: '',
  id: '',
  state: 'gone',
  type: 'list',
  metric: 'loss',
  varied: [],
  logarithmic: [],
  canResume: false,
};
