import * as vscode from 'vscode';
import { AuroraError } from '../../base/errors';
import { codeSpan, plainWords } from '../../base/escape';
import type { ToolHost } from '../../tools/tool';
import { saved } from '../ask/saved';
import { deviceArguments } from '../launcher/device-arguments';
import { machineArguments } from '../launcher/trainer-client';
import type { Services } from '../services';
import { editorHint } from '../words/error-text';
import { toolRun } from './tool-run';

/** The services of this window for one call of a tool. */
export function editorHost({ store, trainer, panels }: Services, token: vscode.CancellationToken): ToolHost {
  return {
    folders: workspaceFolders(),
    signal: abortedWith(token),
    // VS Code has no progress for a tool's work.
    progress: () => undefined,
    shown: (path) => vscode.workspace.asRelativePath(path),
    hint: editorHint,
    markup: { file: (name) => codeSpan(name), words: (text) => plainWords(text) },
    text: async (file) => (await vscode.workspace.openTextDocument(vscode.Uri.file(file))).getText(),
    async save(file) {
      if (!(await saved(file)))
        throw new AuroraError('stopped', `${file} was not saved, so nothing was started.`);
    },
    runs: async () => (await store.runs()).map(toolRun),
    refresh: async (folder) => toolRun(await store.refreshRun(folder)),
    program(args, onLine) {
      // Measuring loads a native runtime, which an untrusted workspace must not start.
      const untrusted = args[0] === 'inspect' && !vscode.workspace.isTrusted;
      return trainer.program(untrusted ? [...args, '--no-measure'] : args, {
        token,
        onLine,
        untrusted,
        timeout: Infinity,
      });
    },
    place: () => machineArguments(deviceArguments),
    async start(file, overrides, text) {
      const run = await trainer.start(file, overrides, text);
      panels.openRun([run], true);
      return run;
    },
    async fork(from, step, overrides) {
      const run = await trainer.fork(from, step, overrides);
      panels.openRun([from, run], true);
      return run;
    },
    async startSweep(file, folder, text) {
      await trainer.startSweep(file, folder, { text });
      await store.refresh();
      panels.openSweep(folder);
    },
    stop: (folder) => trainer.stop(folder),
  };
}

/** The workspace's folders on this machine. */
const workspaceFolders = (): string[] =>
  (vscode.workspace.workspaceFolders ?? []).filter((f) => f.uri.scheme === 'file').map((f) => f.uri.fsPath);

function abortedWith(token: vscode.CancellationToken): AbortSignal {
  const controller = new AbortController();
  if (token.isCancellationRequested) controller.abort();
  token.onCancellationRequested(() => controller.abort());
  return controller.signal;
}
