import * as vscode from 'vscode';
import type { TokensFromPage, TokensOpen } from '../../../protocol/panels/tokens';
import { experimentName } from '../../../runs/layout';
import { showError } from '../../ask/guard';
import { COMMAND } from '../../ids';
import type { Services } from '../../services';
import type { PageChannel, PanelSession } from '../panel';
import { openDataRow } from '../rows/open-row';
import { readRow } from './read-row';
import { TokensSession } from './tokens-session';

/** Reads the rows that a page asks for, and reads the shown one again when its files are saved. */
export function startTokens(
  services: Services,
  { file }: TokensOpen,
  page: PageChannel,
): PanelSession<TokensFromPage> {
  const { log, trainer } = services;
  const session = new TokensSession({
    experiment: experimentName(file),
    post: (message) => page.post(message),
    read(choice, signal) {
      const canceled = new vscode.CancellationTokenSource();
      signal.addEventListener('abort', () => canceled.cancel(), { once: true });
      const { token } = canceled;
      return readRow((args, onLine) => trainer.program(args, { token, onLine }), file, choice);
    },
    failed: (e) => log.warn(e instanceof Error ? e.message : String(e)),
  });
  const subscriptions = vscode.Disposable.from(
    vscode.workspace.onDidSaveTextDocument(({ uri }) => {
      if (uri.fsPath === file || uri.fsPath === session.row?.file) session.refresh();
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => session.refresh()),
  );
  const obey = (message: TokensFromPage): unknown => {
    const { row } = session;
    switch (message.type) {
      case 'show': {
        const { row: name, split, batch } = message;
        return session.show({ row: name, split, batch });
      }
      case 'openRow':
        return row && openDataRow(row.file, row.row);
      case 'openExperiment':
        return vscode.commands.executeCommand(COMMAND.openExperiment, file);
    }
  };
  return {
    // The page asks for its row itself: after a reload, it alone knows which.
    snapshot: () => undefined,
    openedAgain: () => session.refresh(),
    receive: (message) => void Promise.resolve(obey(message)).catch((e: unknown) => showError(log, e)),
    dispose: () => {
      subscriptions.dispose();
      session.dispose();
    },
  };
}
