import * as vscode from 'vscode';
import { registerGuarded } from '../ask/guard';
import { explaining } from '../ask/training-problems';
import { COMMAND } from '../ids';
import type { Contributes } from '../manifest/declared';
import type { DemoName } from '../runs/demo-places';
import type { Services } from '../services';

export const contributes: Contributes = {
  commands: {
    runDemo: {
      title: 'Run the Demo',
      icon: 'rocket',
      enablement: 'isWorkspaceTrusted || workbenchState == empty',
    },
    runImageDemo: {
      title: 'Run the Image Demo',
      enablement: 'isWorkspaceTrusted || workbenchState == empty',
    },
    runLanguageDemo: {
      title: 'Run the Language Demo',
      enablement: 'isWorkspaceTrusted || workbenchState == empty',
    },
  },
};

/** Run the Demo, and those of images and of language: from the click to a curve, with no choices to make. */
export function registerDemo(services: Services): vscode.Disposable {
  const { log } = services;
  const run = (demo: DemoName) => () =>
    explaining(async () => (await import('./run-demo')).runDemo(services, demo));
  return vscode.Disposable.from(
    registerGuarded(log, COMMAND.runDemo, run('text')),
    registerGuarded(log, COMMAND.runImageDemo, run('images')),
    registerGuarded(log, COMMAND.runLanguageDemo, run('language')),
  );
}
