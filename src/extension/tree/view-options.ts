import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { COMMAND, CONTEXT } from '../ids';
import { SORT, SORTS, sortOf, type Sort } from '../runs/run-sort';
import { registerGuarded } from '../ask/guard';
import { askText } from '../messages/input';
import type { Contributes } from '../manifest/declared';

export const contributes: Contributes = {
  commands: {
    filterRuns: {
      title: 'Filter Runs',
      icon: 'filter',
      palette: 'aurora.hasExperiments',
      menus: [
        {
          at: 'title',
          view: 'experiments',
          when: 'aurora.hasExperiments && !aurora.filtered',
          group: 'navigation@2',
        },
        { at: 'title', view: 'experiments', when: 'aurora.hasExperiments', group: '1_view@2' },
      ],
    },
    clearFilter: {
      title: 'Clear Filter',
      icon: 'clear-all',
      palette: 'aurora.filtered',
      menus: [{ at: 'title', view: 'experiments', when: 'aurora.filtered', group: 'navigation@2' }],
    },
    sortRuns: {
      title: 'Sort Runs',
      icon: 'sort-precedence',
      palette: 'aurora.hasExperiments',
      menus: [{ at: 'title', view: 'experiments', when: 'aurora.hasExperiments', group: '1_view@1' }],
    },
  },
};

const FILTER = 'experiments.filter';

/** Filter and sort order of the Experiments view; stored per workspace. */
export class ViewOptions implements vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChange = this.changed.event;
  private readonly commands: vscode.Disposable[];

  constructor(
    private readonly memory: vscode.Memento,
    log: vscode.LogOutputChannel,
  ) {
    this.commands = [
      registerGuarded(log, COMMAND.filterRuns, () => this.askFilter()),
      registerGuarded(log, COMMAND.clearFilter, () => this.set(FILTER, '')),
      registerGuarded(log, COMMAND.sortRuns, () => this.askSort()),
    ];
    this.updateContext();
  }

  get filter(): string {
    return this.memory.get(FILTER, '');
  }

  get sort(): Sort {
    return sortOf(this.memory);
  }

  dispose(): void {
    for (const c of this.commands) c.dispose();
    this.changed.dispose();
  }

  private async set(key: string, value: string): Promise<void> {
    await this.memory.update(key, value);
    this.updateContext();
    this.changed.fire();
  }

  private updateContext(): void {
    void vscode.commands.executeCommand('setContext', CONTEXT.filtered, this.filter !== '');
  }

  private async askFilter(): Promise<void> {
    const filter = await askText({
      title: t('Filter runs'),
      prompt: t(
        'Words in the name, note, tags, state, method, metric or experiment. Leave empty to show all runs.',
      ),
      placeHolder: t('For example: lora failed'),
      value: this.filter,
      ignoreFocusOut: true,
    });
    if (filter !== undefined) await this.set(FILTER, filter.trim());
  }

  private async askSort(): Promise<void> {
    const labels: Record<Sort, string> = {
      newest: t('Newest first'),
      metric: t('Best metric first'),
      name: t('By name'),
    };
    const picked = await vscode.window.showQuickPick(
      SORTS.map((sort) => ({
        label: labels[sort],
        description: sort === this.sort ? t('current') : undefined,
        sort,
      })),
      {
        title: t('Sort runs'),
        placeHolder: t('Starred runs stay on top.'),
        ignoreFocusOut: true,
      },
    );
    if (picked) await this.set(SORT, picked.sort);
  }
}
