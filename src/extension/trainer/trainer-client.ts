import { join } from 'node:path';
import * as vscode from 'vscode';
import { SETTING } from '../ids';
import type { TrainerClient } from './client';
import { Trainer, type TrainerHost } from './trainer';

/** workspaceState: the leased runs of this workspace, over a reload. */
const LEASED = 'leasedRuns';

/** The trainer as this window has it. Spawns and reads nothing but the remembered leases, after activation. */
export function createTrainerClient(
  context: vscode.ExtensionContext,
  log: vscode.LogOutputChannel,
): TrainerClient {
  const trainer = new Trainer(trainerHost(context, log));
  return {
    start: (file, overrides) => trainer.start(file, overrides),
    resume: (run) => trainer.resume(run),
    fork: (run, step, overrides) => trainer.fork(run, step, overrides),
    stop: (run) => trainer.stop(run),
    machine: () => trainer.machine(),
    ownRuns: () => trainer.runs(),
    async program(args, { token, ...options } = {}) {
      const running = await trainer.program(args, options);
      const cancelled = token?.onCancellationRequested(() => running.kill('was cancelled'));
      if (token?.isCancellationRequested) running.kill('was cancelled');
      return running.ended.finally(() => cancelled?.dispose());
    },
    dispose: () => trainer.dispose(),
  };
}

function trainerHost(context: vscode.ExtensionContext, log: vscode.LogOutputChannel): TrainerHost {
  return {
    dist: join(context.extensionPath, 'dist'),
    storage: context.globalStorageUri.fsPath,
    version: (context.extension.packageJSON as { version: string }).version,
    execPath: process.execPath,
    electron: process.versions.electron,
    trusted: () => vscode.workspace.isTrusted,
    settings() {
      const settings = vscode.workspace.getConfiguration('aurora');
      return {
        nodePath: settings.get(SETTING.nodePath, ''),
        threads: settings.get(SETTING.threads, 0),
        keepRunsAfterClose: settings.get(SETTING.keepRunsAfterClose, false),
      };
    },
    memory: {
      get: () => context.workspaceState.get<readonly string[]>(LEASED, []),
      set: (runs) => void context.workspaceState.update(LEASED, runs),
    },
    info: (message) => log.info(message),
  };
}
