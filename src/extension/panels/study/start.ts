import * as vscode from 'vscode';
import { t } from '../../../base/l10n';
import type { StudyFromPage, StudyOpen } from '../../../study/study-panel';
import { showError } from '../../ask/guard';
import { exportStudy } from '../../commands/study-export';
import { measureStudy } from '../../commands/study-measure';
import { explaining } from '../../ask/training-problems';
import { runLabel } from '../../runs/label';
import type { RunEntry } from '../../runs/store';
import type { Services } from '../../services';
import { StudyWorker } from '../../study-worker/ask';
import type { PageChannel, PanelSession } from '../panel';
import { StudySession, type KnownRun, type StudyHost } from './session';
import { subject } from './title';

/** A running run changes many times a second; a study's numbers change when it ends. */
const SETTLE_MS = 300;
/** A study of thousands of runs takes seconds: the next one waits this many times as long. */
const REST = 2;

/** Follows the runs, and serves the page's requests. */
export function startStudy(
  services: Services,
  open: StudyOpen,
  page: PageChannel,
): PanelSession<StudyFromPage> {
  const { store, log } = services;
  let marks = '';
  const entries = async (): Promise<RunEntry[]> => {
    if ('runs' in open)
      return Promise.all(open.runs.map(async (f) => store.run(f) ?? (await store.refreshRun(f))));
    const found = (await store.experiments()).find((e) => e.file === open.experiment);
    return [...(found?.runs ?? [])].reverse();
  };
  const worker = new StudyWorker((vscode.l10n.bundle as Record<string, string>) ?? {});
  const host: StudyHost = {
    post: (message) => page.post(message),
    async runs() {
      const runs = await entries();
      marks = marksOf(runs);
      return { title: t('Study of {0}', subject(open)), runs: runs.map(known) };
    },
    measure: (runs) =>
      explaining(() => measureStudy(services, runs)).then(
        () => undefined,
        (e: unknown) => showError(log, e),
      ),
    export: (title, files) => exportStudy(title, files),
    copy: (text) => void vscode.env.clipboard.writeText(text),
    failed: (e) => showError(log, e),
  };
  const session = new StudySession(host, worker);
  let timer: NodeJS.Timeout | undefined;
  let isShown = false;
  const look = async () => {
    if (isShown && marksOf(await entries()) !== marks) session.refresh();
  };
  const changes = store.onDidChange(() => {
    timer ??= setTimeout(
      () => {
        timer = undefined;
        look().catch((e: unknown) => log.error(e as Error));
      },
      Math.max(SETTLE_MS, REST * session.tookMs),
    );
  });
  return {
    snapshot() {
      isShown = true;
      session.refresh();
    },
    hidden: () => void (isShown = false),
    receive: (message) => session.receive(message),
    dispose: () => {
      clearTimeout(timer);
      changes.dispose();
      session.dispose();
    },
  };
}

const known = (entry: RunEntry): KnownRun => ({
  folder: entry.folder,
  name: runLabel(entry),
  run: entry.run,
});

/** The parts of its runs that a study shows. Most changes of a run do not affect it. */
const marksOf = (runs: readonly RunEntry[]): string =>
  JSON.stringify(
    runs.map((entry) => [entry.folder, entry.state, runLabel(entry), entry.run?.result !== undefined]),
  );
