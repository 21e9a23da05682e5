import type * as vscode from 'vscode';
import { t } from '../../../base/l10n';
import { changeUser, type RunUser } from '../../../runs/user';
import { COMMAND } from '../../ids';
import { runLabel } from '../../runs/label';
import type { RunEntry } from '../../runs/store';
import type { Services } from '../../services';
import { FROM_SELECTION, selectedRows } from '../../runs/nodes';
import { registerGuarded } from '../../ask/guard';
import { runFrom, runsFrom } from '../../ask/pick';
import { askText } from '../../messages/input';
import type { Contributes } from '../../manifest/declared';

export const contributes: Contributes = {
  commands: {
    renameRun: {
      title: 'Rename Run',
      palette: 'aurora.hasRuns',
      menus: [{ at: 'run', can: 'canEditUser', group: '3_edit@1' }],
      keys: {
        key: 'f2',
        mac: 'enter',
        args: 'selection',
        when: 'focusedView == aurora.experiments && !inputFocus',
      },
    },
    editNote: {
      title: 'Edit Run Note',
      palette: 'aurora.hasRuns',
      menus: [{ at: 'run', can: 'canEditUser', group: '3_edit@2' }],
    },
    editTags: {
      title: 'Edit Tags…',
      icon: 'tag',
      palette: 'aurora.hasRuns',
      menus: [{ at: 'run', can: 'canEditUser', several: true, group: '3_edit@2' }],
    },
    starRun: {
      title: 'Star Run',
      icon: 'star-empty',
      palette: 'aurora.hasRuns',
      menus: [{ at: 'run', can: 'canStar', several: true, group: '3_edit@3' }],
    },
    unstarRun: {
      title: 'Unstar Run',
      icon: 'star-full',
      palette: 'aurora.hasRuns',
      menus: [{ at: 'run', can: 'canUnstar', several: true, group: '3_edit@3' }],
    },
  },
};

/** Commands that edit the user's name and note for a run. Nothing that the trainer wrote is touched. */
export function registerEditCommands(services: Services): vscode.Disposable[] {
  const { log, store } = services;
  const change = async (runs: readonly RunEntry[], words: Partial<RunUser>) => {
    for (const run of runs) changeUser(run.folder, words);
    await Promise.all(runs.map((run) => store.refreshRun(run.folder)));
  };
  const star = (command: string, on: boolean, title: string) =>
    registerGuarded(log, command, async (...args) => {
      const runs = await runsFrom(services, args, { title, filter: (r) => (r.user.star ?? false) !== on });
      await change(runs, { star: on });
    });
  return [
    registerGuarded(log, COMMAND.renameRun, async (argument) => {
      const row = argument === FROM_SELECTION ? selectedRows()[0] : argument;
      const run = await runFrom(services, row, { title: t('Select a run to rename') });
      if (!run) return;
      const own = runLabel({ ...run, user: {} });
      const name = await askText({
        title: t('Rename run {0}', runLabel(run)),
        prompt: t('The folder is not renamed. Leave empty to use {0}.', own),
        placeHolder: own,
        value: run.user.name ?? '',
        ignoreFocusOut: true,
      });
      if (name !== undefined) await change([run], { name });
    }),
    registerGuarded(log, COMMAND.editNote, async (argument) => {
      const run = await runFrom(services, argument, {
        title: t('Select a run to edit its note'),
      });
      if (!run) return;
      const note = await askText({
        title: t('Note for run {0}', runLabel(run)),
        prompt: t('For example, what you tried and what you found. Leave empty to remove the note.'),
        value: run.user.note ?? '',
        ignoreFocusOut: true,
      });
      if (note !== undefined) await change([run], { note });
    }),
    registerGuarded(log, COMMAND.editTags, async (...args) => {
      const runs = await runsFrom(services, args, { title: t('Select the runs to tag') });
      if (runs.length > 0) await (await import('./tags')).editTags(services, runs);
    }),
    star(COMMAND.starRun, true, t('Select the runs to star')),
    star(COMMAND.unstarRun, false, t('Select the runs to unstar')),
  ];
}
