import { join } from 'node:path';
import * as vscode from 'vscode';
import { clusterSetting, setting } from './settings';
import type { TrainerClient } from './client';
import type { DeviceSettings } from './device-arguments';
import { Trainer, type TrainerHost } from './trainer';

/** workspaceState: this workspace's leased runs, across a reload. */
const LEASED = 'leasedRuns';

/** globalState: runs that follow the window into another workspace, such as the demo's when its folder is opened. */
const HANDED_OVER = 'handedOverRuns';

/** Lets the next window of this profile keep this window's runs alive; call it before changing the workspace. */
export const handOver = (context: vscode.ExtensionContext, runs: readonly string[]): Thenable<void> =>
  context.globalState.update(HANDED_OVER, runs);

/** This window's trainer client. After activation it spawns nothing, and reads nothing but the stored leases. */
export const createTrainerClient = (
  context: vscode.ExtensionContext,
  log: vscode.LogOutputChannel,
): TrainerClient => new Trainer(trainerHost(context, log));

/** The user's device settings. */
export const deviceSettings = (): DeviceSettings => ({
  engine: setting('engine'),
  device: setting('device'),
  fallBackToCpu: setting('fallBackToCpu'),
});

/**
 * The threads and the device of a run, for a command that measures or compares before it.
 *
 * @param device the settings as the command's arguments
 */
export function machineArguments(device: (settings: DeviceSettings) => string[]): string[] {
  const threads = setting<number>('threads');
  return [...(threads > 0 ? ['--threads', String(threads)] : []), ...device(deviceSettings())];
}

function trainerHost(context: vscode.ExtensionContext, log: vscode.LogOutputChannel): TrainerHost {
  return {
    dist: join(context.extensionPath, 'dist'),
    storage: context.globalStorageUri.fsPath,
    version: (context.extension.packageJSON as { version: string }).version,
    execPath: process.execPath,
    electron: process.versions.electron,
    trusted: () => vscode.workspace.isTrusted,
    settings: () => ({
      nodePath: setting('nodePath'),
      threads: setting('threads'),
      keepRunsAfterClose: setting('keepRunsAfterClose'),
      cluster: clusterSetting(),
      ...deviceSettings(),
    }),
    memory: {
      get() {
        const handed = context.globalState.get<readonly string[]>(HANDED_OVER, []);
        const here = handed.filter((run) => vscode.workspace.getWorkspaceFolder(vscode.Uri.file(run)));
        if (here.length > 0) void handOver(context, []);
        return [...new Set([...context.workspaceState.get<readonly string[]>(LEASED, []), ...here])];
      },
      set: (runs) => void context.workspaceState.update(LEASED, runs),
    },
    info: (message) => log.info(message),
  };
}
