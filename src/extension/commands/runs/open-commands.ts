import * as vscode from 'vscode';
import { t } from '../../../base/l10n';
import { isNonlinear } from '../../../experiment/methods';
import { modelFileLater, modelKind, modelPath } from '../../../files/model-path';
import { registerGuarded } from '../../ask/guard';
import { experimentFrom, runFrom, runsFrom } from '../../ask/pick';
import { COMMAND, FROM_ROW } from '../../ids';
import type { Contributes } from '../../manifest/declared';
import { isOnnx } from '../../models/model-paths';
import { isTreeNode } from '../../runs/nodes';
import type { Services } from '../../services';

export const contributes: Contributes = {
  commands: {
    getStarted: {
      title: 'Get Started',
    },
    openBudget: {
      title: 'Open Budget Calculator',
      icon: 'symbol-ruler',
      menus: [
        { at: 'row', can: 'canEdit', group: '2_open@2' },
        { at: 'model', group: '2_open@1' },
        { at: 'title', view: 'experiments', group: '2_open@1' },
        { at: 'explorer', of: 'model', group: 'aurora@2' },
        { at: 'editor', group: 'navigation@3' },
      ],
    },
    openRun: {
      title: 'Open Run Dashboard',
      icon: 'graph-line',
      palette: 'aurora.hasRuns',
      menus: [
        { at: 'run', can: 'canOpen', everyView: true, group: '2_open@1' },
        { at: 'row', can: 'canOpen', everyView: true, group: 'inline@2' },
      ],
    },
    compareRuns: {
      title: 'Compare Runs',
      icon: 'git-compare',
      palette: 'aurora.hasRuns',
      menus: [{ at: 'run', can: 'canOpen', several: true, group: '2_open@5' }],
    },
    openActivations: {
      title: 'Show Layer Activations',
      icon: 'pulse',
      palette: 'aurora.hasRuns',
      menus: [{ at: 'run', can: 'canOpen', group: '2_open@2' }],
    },
    openExperiment: {
      title: 'Open Experiment File',
      icon: 'go-to-file',
      palette: 'aurora.hasExperiments',
      menus: [
        { at: 'row', can: 'canEdit', group: '2_open@1' },
        { at: 'row', can: 'canEdit', group: 'inline@2' },
      ],
    },
    refresh: {
      title: 'Refresh',
      icon: 'refresh',
      menus: [
        { at: 'title', view: 'models|machine', group: 'navigation@9' },
        { at: 'title', view: 'experiments', group: '1_view@9' },
      ],
    },
  },
};

const WALKTHROUGH = 'aurora-lab.aurora-lab#start';

const isModel = async (path: string): Promise<boolean> =>
  isOnnx(path) || modelKind(await modelFileLater(path)) !== 'onnx';

/** Commands that show something. */
export function registerOpenCommands(services: Services): vscode.Disposable[] {
  const { log, panels, store } = services;
  const on = (command: string, action: (...args: unknown[]) => unknown) =>
    registerGuarded(log, command, action);
  const readable = (run: { run?: unknown }) => run.run !== undefined;
  return [
    on(COMMAND.openRun, async (argument, from) => {
      const title = t('Select a run to open its dashboard');
      const run = await runFrom(services, argument, { title, filter: readable });
      if (run) panels.openRun([run.folder], from === FROM_ROW);
    }),
    on(COMMAND.compareRuns, async (...args) => {
      const title = t('Select the runs to compare');
      const runs = await runsFrom(services, args, { title, filter: readable, least: 2 });
      if (runs.length > 0) panels.openRun(runs.map((r) => r.folder));
    }),
    on(COMMAND.openActivations, async (argument) => {
      const title = t('Select a run to show its layer activations');
      const run = await runFrom(services, argument, {
        title,
        filter: (r) => r.run !== undefined && isNonlinear(r.run.spec.adapter),
      });
      if (run) panels.openActivations(run.folder);
    }),
    on(COMMAND.openBudget, async (argument) => {
      // Without an experiment it is a calculator of the paper's shapes.
      if (argument instanceof vscode.Uri && (await isModel(argument.fsPath)))
        return panels.openModelBudget(modelPath(argument.fsPath));
      const given = argument instanceof vscode.Uri || typeof argument === 'string' || isTreeNode(argument);
      const any = given || (await store.experiments()).some((e) => e.exists);
      if (!any) return panels.openBudget();
      const file = await experimentFrom(services, argument, t('Select an experiment to open its budget'));
      if (file) panels.openBudget(file);
    }),
    on(COMMAND.openExperiment, async (argument) => {
      const title = t('Select an experiment file to open');
      const file = await experimentFrom(services, argument, title);
      if (file) await vscode.window.showTextDocument(vscode.Uri.file(file));
    }),
    on(COMMAND.getStarted, () =>
      vscode.commands.executeCommand('workbench.action.openWalkthrough', WALKTHROUGH, false),
    ),
    on(COMMAND.refresh, () => store.refresh()),
  ];
}
