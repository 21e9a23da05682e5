import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RunsSession } from '../../src/extension/panels/runs/runs-table-session';
import type { RunEntry } from '../../src/extension/runs/store';
import { parseRunsMessage, type RunsFromPage } from '../../src/study/runs-table/runs-messages';
import type { TableView, SavedView } from '../../src/study/runs-table/saved-views';
import { evaluated, finished, makeRun, setStatus, spec, started } from '../unit/extension/run-maker';
import { TrackedRun } from '../../src/extension/runs/tracked-run';
import { ScalarsWriter } from '../../src/runs/curve/scalars';
import { hearPage, sender } from './bridge';
import { openPanel, type Opened } from './harness';

/** A finished run whose accuracy grows with its rank, with a curve. */
export function rankedRun(file: string, rank: number, seed: number): string {
  const accuracy = 0.5 + rank / 40 + seed / 100;
  const run = makeRun(file, {
    at: new Date(Date.UTC(2026, 0, 1) + (100 * rank + seed) * 60_000),
    spec: {
      ...spec,
      adapter: { ...spec.adapter, rank } as typeof spec.adapter,
      training: { ...spec.training, seed },
    },
    events: [started, evaluated(40, accuracy - 0.1), evaluated(80, accuracy), finished(80, accuracy)],
    result: { steps: 80 },
  });
  setStatus(run, {
    state: 'finished',
    step: 80,
    startedAt: Date.UTC(2026, 0, 1) + (100 * rank + seed) * 60_000,
  });
  const writer = ScalarsWriter.open(run);
  for (let step = 1; step <= 80; step++)
    writer.append({
      step,
      time: step * 100,
      loss: 1 / step,
      learningRate: 1e-3,
      gradientNorm: 1,
      examples: 8,
      tokens: 80,
      seconds: 0.1,
      memory: 1e8,
    });
  writer.close();
  return run;
}

export async function entryOf(folder: string): Promise<RunEntry> {
  const run = new TrackedRun(folder);
  await run.look();
  return run.entry!;
}

/** As many runs as wanted, all but one only in memory: what the store would have read from such folders. */
export function manyEntries(first: RunEntry, count: number): RunEntry[] {
  const run = first.run!;
  return Array.from({ length: count }, (_, i) => ({
    ...first,
    folder: i === 0 ? first.folder : `${first.folder}-${i}`,
    id: `${first.id}-${i}`,
    run: {
      ...run,
      spec: { ...run.spec, training: { ...run.spec.training, seed: i, learningRate: (1 + (i % 7)) / 1000 } },
      events: run.events.map((e) =>
        e.kind === 'evaluation' ? { ...e, metrics: { ...e.metrics, accuracy: (i % 1000) / 1000 } } : e,
      ),
    },
  }));
}

export interface WiredTable {
  opened: Opened;
  page: Opened['page'];
  session: RunsSession;
  entries: RunEntry[];
  /** The page's messages to VS Code. */
  asked: RunsFromPage[];
  views: TableView[];
  /** The workspace's saved views. */
  saved: SavedView[];
  errors: string[];
  /** Messages to the page. */
  sent: { type: string; rows?: { folder: string }[] }[];
  close(): Promise<void>;
}

/** The page, connected as in VS Code to the host's own session. */
export async function wireTable(
  make: (file: string) => Promise<RunEntry[]> | RunEntry[],
  options: Parameters<typeof openPanel>[1] & { view?: TableView; saved?: SavedView[] } = {},
): Promise<WiredTable> {
  const home = mkdtempSync(join(tmpdir(), 'aurora-runs-'));
  const entries = await make(join(home, 'demo.aurora.json'));
  const opened = await openPanel('runs', options);
  const toPage = sender(opened);
  const w: WiredTable = {
    opened,
    page: opened.page,
    entries,
    asked: [],
    views: [],
    saved: options.saved ?? [],
    errors: [],
    sent: [],
    session: new RunsSession(
      { all: true },
      {
        title: 'Runs of demo',
        post(message) {
          w.sent.push(message as WiredTable['sent'][number]);
          toPage.post(message);
        },
        known: () => w.entries,
        runs: () => Promise.resolve(w.entries),
        view: () => options.view ?? {},
        keep: (view) => void w.views.push(view),
        saved: () => w.saved,
        keepSaved(saved) {
          w.saved = saved;
          w.session.savedChanged();
        },
        obey: (message) => void w.asked.push(message),
        trusted: () => true,
        failed: (e) => void w.errors.push(String((e as Error).stack)),
      },
    ),
    async close() {
      w.session.dispose();
      await toPage.settled();
      await opened.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
  await hearPage(
    opened,
    parseRunsMessage,
    (message) => w.session.receive(message),
    (problem) => w.errors.push(problem),
  );
  await opened.send({ type: 'init', open: { all: true }, l10n: {} });
  w.session.snapshot();
  return w;
}
