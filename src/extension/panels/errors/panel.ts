import { basename, isAbsolute } from 'node:path';
import * as vscode from 'vscode';
import {
  parseErrorsMessage,
  parseErrorsOpen,
  type ErrorsFromPage,
  type ErrorsOpen,
} from '../../../protocol/panels/errors';
import { showError } from '../../ask/guard';
import { predict } from '../../commands/predict';
import { explaining } from '../../ask/training-problems';
import { labelOfId, runLabel } from '../../runs/label';
import type { RunEntry } from '../../runs/store';
import type { Services } from '../../services';
import type { PanelKind } from '../panel';
import { openDataRow } from '../rows/open-row';
import { ErrorsSession, type RunFacts } from './session';

/** The Errors view: which validation examples a checkpoint gets wrong, or is least sure of. */
export const errorsPanel = (services: () => Services): PanelKind<ErrorsOpen, ErrorsFromPage> => ({
  name: 'errors',
  key: ({ run, step }) => `${step} ${run}`,
  title: ({ run }) => titleOf(services().store.run(run), run),
  parseOpen(value) {
    const open = parseErrorsOpen(value);
    return open && isAbsolute(open.run) ? open : undefined;
  },
  parse: parseErrorsMessage,
  start({ run, step }, page) {
    const { store, log } = services();
    let entry: RunEntry | undefined;
    const session = new ErrorsSession({
      run,
      step,
      post: (message) => page.post(message),
      async facts() {
        entry = store.run(run) ?? (await store.refreshRun(run));
        page.setTitle(titleOf(entry, run));
        return factsOf(entry);
      },
      say: (sentence, ...values) => vscode.l10n.t(sentence, ...values),
      predict: () =>
        explaining(async () => predict(services(), await store.refreshRun(run), String(step), true)).then(
          () => undefined,
          (e: unknown) => showError(log, e),
        ),
      openRow: (file, line) => void openDataRow(file, line).catch((e: unknown) => showError(log, e)),
      copy: (text) => void vscode.env.clipboard.writeText(text),
      failed: (e) => log.error(e instanceof Error ? e : String(e)),
    });
    const changes = store.onDidChange((changed) => {
      const now = changed ? changed.find((e) => e.folder === run) : store.run(run);
      if (entry && now && marks(entry, step) !== marks(now, step)) session.refresh();
    });
    const saves = vscode.workspace.onDidSaveTextDocument(({ uri }) => session.saved(uri.fsPath));
    return {
      snapshot: () => session.refresh(),
      receive: (message) => session.receive(message),
      dispose: () => {
        vscode.Disposable.from(changes, saves).dispose();
        session.dispose();
      },
    };
  },
});

const titleOf = (entry: RunEntry | undefined, run: string): string =>
  vscode.l10n.t('Errors: {0}', entry ? runLabel(entry) : labelOfId(basename(run)));

function factsOf(entry: RunEntry): RunFacts {
  if (!entry.run) throw entry.error ?? new Error(vscode.l10n.t('The run {0} cannot be read.', entry.folder));
  return { name: runLabel(entry), experiment: entry.run.spec.name, events: entry.run.events };
}

/** What the page shows of its run. Most changes of a run do not affect it. */
const marks = ({ run, user }: RunEntry, step: number): string =>
  JSON.stringify([user.name, run?.events.findLast((e) => e.kind === 'evaluation' && e.step === step)]);
