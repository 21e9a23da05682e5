import { join } from 'node:path';
import * as vscode from 'vscode';
import { t } from '../../../base/l10n';
import { writeAtomic } from '../../../files/atomic';
import { runLabel } from '../../../runs/run-labels';
import type { StudyLine } from '../../../study/page-study';
import type { StudyFromPage, StudyOpen } from '../../../study/study-messages';
import { showError } from '../../ask/guard';
import { explaining } from '../../ask/training-problems';
import { programError, programLine } from '../../../executors/local/program';
import { notify } from '../../messages/notify';
import { withProgress } from '../../messages/progress';
import { openReport, trustedFor } from '../../notices/open-report';
import type { RunEntry } from '../../runs/store';
import type { Services } from '../../services';
import { StudyWorker } from '../../study-worker/ask-study-worker';
import type { PageChannel, PanelSession } from '../panel';
import { subject } from './study-panel';
import { type KnownRun, type StudyHost, StudySession } from './study-session';

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

/** Asks for a folder, writes a study's report into a new subfolder, and shows it. */
async function exportStudy(title: string, files: ReadonlyMap<string, string>): Promise<void> {
  const [folder] =
    (await vscode.window.showOpenDialog({
      title: t('Select a folder for the report'),
      openLabel: t('Export Here'),
      canSelectFiles: false,
      canSelectFolders: true,
      defaultUri: vscode.workspace.workspaceFolders?.[0]?.uri,
    })) ?? [];
  if (!folder) return;
  const name = title.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '-');
  const target = join(folder.fsPath, name);
  for (const [path, text] of files) writeAtomic(join(target, path), text);
  await openReport(vscode.Uri.file(join(target, 'report.md')));
}

/** Only one at a time: a second would measure the same. */
let going = false;

/** Measures the data that a study needs from runs, with a notification that can be canceled. */
async function measureStudy({ trainer, log }: Services, runs: readonly string[]): Promise<void> {
  const message = t('Measuring runs the models, which requires a trusted workspace.');
  if (runs.length === 0 || going || !(await trustedFor(message))) return;
  going = true;
  const options = {
    location: vscode.ProgressLocation.Notification,
    title: t('Measuring'),
    cancellable: true,
  };
  try {
    await withProgress(options, async (progress, token) => {
      const problems: string[] = [];
      let ended = false;
      const onLine = (text: string) => {
        const line = programLine<StudyLine>(text, ['measuring', 'result', 'problem']);
        if (line?.kind === 'measuring')
          progress.report({ message: t('{0}, run {1} of {2}…', line.name, line.run, line.runs) });
        if (line?.kind === 'result') ended = true;
        if (line?.kind === 'problem') problems.push([line.message, line.hint].filter(Boolean).join(' '));
      };
      const result = await trainer.program(['study', ...runs, '--measure', '--json'], {
        token,
        onLine,
        timeout: Infinity,
      });
      if (token.isCancellationRequested) return;
      if (!ended) throw programError(result, 'study');
      for (const problem of problems) log.warn(problem);
      if (problems.length > 0)
        void notify.warning(
          problems.length === 1
            ? problems[0]
            : t(
                '{0} runs could not be measured; see the log. The first error: {1}',
                problems.length,
                problems[0],
              ),
        );
    });
  } finally {
    going = false;
  }
}
