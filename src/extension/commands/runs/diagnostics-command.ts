import { arch, homedir, platform, release } from 'node:os';
import * as vscode from 'vscode';
import { t } from '../../../base/l10n';
import { runPaths } from '../../../runs/layout';
import { registerGuarded } from '../../ask/guard';
import { runFrom } from '../../ask/pick';
import { COMMAND } from '../../ids';
import { lastLines, readTail } from '../../../executors/local/run-status';
import { deviceSettings } from '../../launcher/trainer-client';
import type { Contributes } from '../../manifest/declared';
import { runFolderOf } from '../../runs/nodes';
import type { Services } from '../../services';

export const contributes: Contributes = {
  commands: {
    copyDiagnostics: {
      title: 'Copy Diagnostics',
      menus: [
        { at: 'run', can: 'canDiagnose', group: '4_more@1' },
        { at: 'title', view: 'all', group: '3_more@2' },
      ],
    },
  },
};

const LOG_LINES = 50;

/** Copies a problem report to the clipboard, about a run if called on one. */
export function registerDiagnostics(services: Services): vscode.Disposable[] {
  const { context, log, trainer } = services;
  return [
    registerGuarded(log, COMMAND.copyDiagnostics, async (argument) => {
      // From the palette or a view's title it is about the machine, and must work without any run.
      const ofRun = typeof argument === 'string' || runFolderOf(argument) !== undefined;
      const run = ofRun ? await runFrom(services, argument, { title: '' }) : undefined;
      const machine = await trainer.machine().then(
        (report) => ({ machine: report }),
        (e: Error) => ({ machineError: e.message }),
      );
      const tail = run && (await readTail(runPaths(run.folder).log));
      const { version } = context.extension.packageJSON as { version: string };
      const { diagnosticsText } = await import('./diagnostics-text');
      const text = diagnosticsText({
        versions: {
          'AuroRA Lab': version,
          [vscode.env.appName]: vscode.version,
          'Extension host': `Node ${process.versions.node}`,
          Platform: `${platform()}-${arch()}, ${release()}`,
          Remote: vscode.env.remoteName ?? 'no',
          Trusted: vscode.workspace.isTrusted ? 'yes' : 'no',
        },
        ...machine,
        device: deviceSettings(),
        run,
        log: tail && lastLines(tail.text, LOG_LINES),
        home: homedir(),
      });
      await vscode.env.clipboard.writeText(text);
      void vscode.window.setStatusBarMessage(t('Diagnostics copied to the clipboard.'), 5000);
    }),
  ];
}
