import * as vscode from 'vscode';
import { AuroraError } from '../../../base/errors';
import { t } from '../../../base/l10n';
import type {
  ActivationsFromPage,
  ActivationsOpen,
  MeasuringProgress,
} from '../../../protocol/panels/activations';
import type { NonlinearityLine } from '../../../protocol/nonlinearity';
import { nonlinearityProgress } from '../../../protocol/reports/nonlinearity-report';
import { runLabel } from '../../../runs/run-labels';
import { showError } from '../../ask/guard';
import { explaining } from '../../ask/training-problems';
import { programError, programLine } from '../../../executors/local/program';
import { trustedFor } from '../../notices/open-report';
import type { RunEntry } from '../../runs/store';
import type { Services } from '../../services';
import type { PageChannel, PanelSession } from '../panel';
import { openDataRow } from '../rows/open-row';
import { titleOf } from './activations-panel';
import { ActivationsSession, type RunFacts } from './activations-session';

/** Follows the run, and serves the page's requests. */
export function startActivations(
  services: Services,
  { run }: ActivationsOpen,
  page: PageChannel,
): PanelSession<ActivationsFromPage> {
  const { store, log } = services;
  let entry: RunEntry | undefined;
  let canceled: vscode.CancellationTokenSource | undefined;
  const session = new ActivationsSession({
    run,
    post: (message) => page.post(message),
    async facts() {
      entry = store.run(run) ?? (await store.refreshRun(run));
      page.setTitle(titleOf(entry, run));
      return factsOf(entry);
    },
    async measure(told) {
      if (!vscode.workspace.isTrusted) {
        void trustedFor(needsTrust());
        throw new AuroraError('run', needsTrust());
      }
      canceled = new vscode.CancellationTokenSource();
      const { token } = canceled;
      await explaining(async () => {
        await store.refreshRun(run);
        await measure(services, run, token, told);
      });
    },
    cancel: () => canceled?.cancel(),
    openRow: (file, line) => void openDataRow(file, line).catch((e: unknown) => showError(log, e)),
    copy: (text) => void vscode.env.clipboard.writeText(text),
    failed: (e) => {
      // Not a failure: the page shows that trust is needed.
      if (!vscode.workspace.isTrusted && e instanceof AuroraError) return;
      log.error(e instanceof Error ? e : String(e));
    },
  });
  const changes = store.onDidChange((changed) => {
    // If runs appeared or disappeared, the event does not state if this one changed, too.
    const now = changed ? changed.find((e) => e.folder === run) : store.run(run);
    if (now && differs(entry, now)) session.refresh();
  });
  return {
    snapshot: () => session.refresh(),
    receive: (message) => session.receive(message),
    dispose: () => {
      changes.dispose();
      session.dispose();
    },
  };
}

const needsTrust = (): string =>
  t('Measuring the effect of σ runs the model, which requires a trusted workspace.');

/** Measures the best step. Resolves too if it was canceled. */
async function measure(
  { trainer }: Services,
  run: string,
  token: vscode.CancellationToken,
  told: (progress: MeasuringProgress) => void,
): Promise<void> {
  let ended = false;
  const onLine = (text: string) => {
    const line = programLine<NonlinearityLine>(text, ['fitting', 'measuring', 'result']);
    if (!line) return;
    if (line.kind === 'result') ended = true;
    const words = nonlinearityProgress(line);
    if (words !== undefined) told({ words, ...('done' in line && { share: line.done / line.of }) });
  };
  try {
    const args = ['nonlinearity', run, '--at', 'best', '--json', '--again'];
    const result = await trainer.program(args, { token, onLine, timeout: Infinity });
    if (!ended) throw programError(result, 'nonlinearity');
  } catch (e) {
    if (!token.isCancellationRequested) throw e;
  }
}

function factsOf(entry: RunEntry): RunFacts {
  if (!entry.run) throw entry.error ?? new Error(t('The run {0} cannot be read.', entry.folder));
  const { spec, events } = entry.run;
  return {
    name: runLabel(entry),
    experiment: spec.name,
    live: isLive(entry),
    adapter: spec.adapter,
    events,
    steps: events.flatMap((e) => (e.kind === 'activations' ? [e.step] : [])),
    staticFrom: events.flatMap((e) => (e.kind === 'evaluation' && e.form === 'static' ? [e.step] : []))[0],
  };
}

const isLive = ({ state }: RunEntry): boolean => state === 'running' || state === 'starting';

/** True if there is something new for this page. Most changes of a run are steps, which it does not show. */
function differs(before: RunEntry | undefined, now: RunEntry): boolean {
  if (!before) return true;
  // Including the last step: a resume removes some steps and repeats as many.
  const marks = (e: RunEntry) =>
    e.run?.events.flatMap((v) => (v.kind === 'activations' ? [v.seq] : [])).join() ?? '';
  return before.state !== now.state || runLabel(before) !== runLabel(now) || marks(before) !== marks(now);
}
