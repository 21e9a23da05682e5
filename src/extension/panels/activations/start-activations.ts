import * as vscode from 'vscode';
import { t } from '../../../base/l10n';
import type { ActivationsFromPage, ActivationsOpen } from '../../../protocol/panels/activations';
import { runLabel } from '../../../runs/run-labels';
import { showError } from '../../ask/guard';
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
  const session = new ActivationsSession({
    run,
    post: (message) => page.post(message),
    async facts() {
      entry = store.run(run) ?? (await store.refreshRun(run));
      page.setTitle(titleOf(entry, run));
      return factsOf(entry);
    },
    openRow: (file, line) => void openDataRow(file, line).catch((e: unknown) => showError(log, e)),
    copy: (text) => void vscode.env.clipboard.writeText(text),
    failed: (e) => log.error(e instanceof Error ? e : String(e)),
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

function factsOf(entry: RunEntry): RunFacts {
  if (!entry.run) throw entry.error ?? new Error(t('The run {0} cannot be read.', entry.folder));
  const { spec, events } = entry.run;
  return {
    name: runLabel(entry),
    experiment: spec.name,
    live: isLive(entry),
    adapter: spec.adapter,
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
