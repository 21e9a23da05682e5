import * as vscode from 'vscode';
import { AuroraError } from '../../../base/errors';
import { t } from '../../../base/l10n';
import { evaluationSets, type MeasuredOn, scoredOn } from '../../../experiment/evaluation-sets';
import type { ErrorsFromPage, ErrorsOpen } from '../../../protocol/panels/errors';
import type { PredictLine } from '../../../protocol/predictions';
import { runLabel } from '../../../runs/run-labels';
import { evaluationAt } from '../../../runs/predictions';
import { showError } from '../../ask/guard';
import { explaining } from '../../ask/training-problems';
import { programError, programLine } from '../../../executors/local/program';
import { trustedFor } from '../../notices/open-report';
import type { RunEntry } from '../../runs/store';
import type { Services } from '../../services';
import type { PageChannel, PanelSession } from '../panel';
import { openDataRow } from '../rows/open-row';
import { titleOf } from './errors-panel';
import { ErrorsSession, type Predicting, type RunFacts } from './errors-session';

/** The interval in which to check whether another program has changed the data. */
const LOOK_AGAIN_MS = 3_000;

/** Follows the run, and serves the page's requests. */
export function startErrors(
  services: Services,
  { run, step, on = 'validation' }: ErrorsOpen,
  page: PageChannel,
): PanelSession<ErrorsFromPage> {
  const { store, log } = services;
  let entry: RunEntry | undefined;
  let canceled: vscode.CancellationTokenSource | undefined;
  let askedForTrust = false;
  const session = new ErrorsSession({
    run,
    step,
    on,
    post: (message) => page.post(message),
    async facts() {
      entry = store.run(run) ?? (await store.refreshRun(run));
      page.setTitle(titleOf(entry, run, on));
      return factsOf(entry);
    },
    async predict(again, told) {
      if (!vscode.workspace.isTrusted) {
        // A page that is shown again does not repeat the question.
        if (again || !askedForTrust) void trustedFor(needsTrust());
        askedForTrust = true;
        throw new AuroraError('run', needsTrust());
      }
      canceled = new vscode.CancellationTokenSource();
      const { token } = canceled;
      await explaining(async () =>
        predict(services, await store.refreshRun(run), { at: String(step), on, again, token, told }),
      );
    },
    cancel: () => canceled?.cancel(),
    openRow: (file, line) => void openDataRow(file, line).catch((e: unknown) => showError(log, e)),
    openSet: (other) => services.panels.openErrors(run, step, other),
    copy: (text) => void vscode.env.clipboard.writeText(text),
    failed: (e) => {
      // Not a failure: the page shows that trust is needed.
      if (!vscode.workspace.isTrusted && e instanceof AuroraError) return;
      log.error(e instanceof Error ? e : String(e));
    },
  });
  const changes = store.onDidChange((changed) => {
    const now = changed ? changed.find((e) => e.folder === run) : store.run(run);
    if (entry && now && marks(entry, step, on) !== marks(now, step, on)) session.refresh();
  });
  let looking: NodeJS.Timeout | undefined;
  const look = () => void session.look().catch((e: Error) => log.error(e));
  const saves = vscode.workspace.onDidSaveTextDocument(({ uri }) => session.saved(uri.fsPath));
  const trusted = vscode.workspace.onDidGrantWorkspaceTrust(() => session.refresh());
  return {
    snapshot: () => {
      looking ??= setInterval(look, LOOK_AGAIN_MS);
      session.refresh();
    },
    hidden: () => {
      clearInterval(looking);
      looking = undefined;
    },
    // The earlier content may be more than what exists now.
    openedAgain: () => session.refresh(),
    receive: (message) => session.receive(message),
    dispose: () => {
      clearInterval(looking);
      vscode.Disposable.from(changes, saves, trusted).dispose();
      session.dispose();
    },
  };
}

const needsTrust = (): string =>
  t(
    'Finding errors runs the model, which requires a trusted workspace. Stored predictions can still be shown.',
  );

function factsOf(entry: RunEntry): RunFacts {
  if (!entry.run) throw entry.error ?? new Error(t('The run {0} cannot be read.', entry.folder));
  const { spec, events } = entry.run;
  const sets = ['validation' as const, ...evaluationSets(spec.data).map(({ name }) => scoredOn(name))];
  return { name: runLabel(entry), experiment: spec.name, events, sets };
}

/** The parts of its run that the page shows. Most changes of a run do not affect it. */
const marks = (entry: RunEntry, step: number, on: MeasuredOn): string =>
  JSON.stringify([runLabel(entry), entry.run && evaluationAt(entry.run.events, step, on)]);

export interface PredictOptions {
  /** best, last or a step */
  at: string;
  on: MeasuredOn;
  again: boolean;
  token: vscode.CancellationToken;
  told(so: Predicting): void;
}

/** Predicts the examples of a set with a checkpoint, and reports how far. Resolves too if it was canceled. */
async function predict(
  { trainer }: Services,
  run: RunEntry,
  { at, on, again, token, told }: PredictOptions,
): Promise<void> {
  let ended = false;
  const onLine = (text: string) => {
    const line = programLine<PredictLine>(text, ['predicting', 'writing', 'partial', 'result']);
    if (line?.kind === 'result') ended = true;
    if (line?.kind === 'predicting') told({ done: 0, of: line.examples });
    if (line?.kind === 'writing' || line?.kind === 'partial') told(line);
  };
  try {
    const args = ['errors', run.folder, '--at', at, '--on', on, '--json', ...(again ? ['--again'] : [])];
    const result = await trainer.program(args, { token, onLine, timeout: Infinity });
    if (!ended) throw programError(result, 'errors');
  } catch (e) {
    if (!token.isCancellationRequested) throw e;
  }
}
