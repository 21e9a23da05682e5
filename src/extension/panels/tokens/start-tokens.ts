import * as vscode from 'vscode';
import type { TokensChoice, TokensFromPage, TokensOpen } from '../../../protocol/panels/tokens';
import type { TokenRow } from '../../../protocol/tokens';
import { experimentName } from '../../../runs/layout';
import { showError } from '../../ask/guard';
import { COMMAND } from '../../ids';
import { programError, programLine } from '../../launcher/program';
import type { Services } from '../../services';
import type { PageChannel, PanelSession } from '../panel';
import { openDataRow } from '../rows/open-row';
import { TokensSession } from './tokens-session';

/** Reads the rows that a page asks for, and reads the shown one again when its files are saved. */
export function startTokens(
  services: Services,
  { file }: TokensOpen,
  page: PageChannel,
): PanelSession<TokensFromPage> {
  const { log } = services;
  const session = new TokensSession({
    experiment: experimentName(file),
    post: (message) => page.post(message),
    read: (choice, signal) => readRow(services, file, choice, signal),
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

/** `aurora tokens … --json`. A newer request ends it. */
async function readRow(
  { trainer }: Services,
  file: string,
  { row, split, batch }: TokensChoice,
  signal: AbortSignal,
): Promise<TokenRow> {
  const canceled = new vscode.CancellationTokenSource();
  signal.addEventListener('abort', () => canceled.cancel(), { once: true });
  let read: TokenRow | undefined;
  const args = [
    ...['tokens', file, '--json'],
    ...(row === undefined ? [] : [`--row=${row}`]),
    ...(split === undefined ? [] : [`--split=${split}`]),
    ...(batch ? ['--batch'] : []),
  ];
  const result = await trainer.program(args, {
    token: canceled.token,
    onLine: (line) => (read = programLine<TokenRow>(line, ['tokens']) ?? read),
  });
  if (!read) throw programError(result, 'tokens');
  return read;
}
