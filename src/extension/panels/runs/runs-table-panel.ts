import { basename, dirname, isAbsolute } from 'node:path';
import * as vscode from 'vscode';
import { t } from '../../../base/l10n';
import { experimentName } from '../../../runs/layout';
import { parseRunsOpen, type RunsOpen } from '../../../study/runs-table/runs-messages';
import type { Contributes } from '../../manifest/declared';
import type { Services } from '../../services';
import type { PanelKind } from '../panel';

const NAME = 'runs';

export const contributes: Contributes = { panel: NAME };

/** The Runs table. Its messages are validated by the session, which activation does not load. */
export const runsPanel = (services: () => Services): PanelKind<RunsOpen, object> => ({
  name: NAME,
  key: (open) => JSON.stringify(open),
  title: (open) => ('all' in open ? t('Runs') : t('Runs: {0}', subject(open))),
  parseOpen(value) {
    const open = parseRunsOpen(value);
    if (open === undefined || 'all' in open) return open;
    return isAbsolute('experiment' in open ? open.experiment : open.sweep) ? open : undefined;
  },
  parse: (message) => (typeof message === 'object' && message !== null ? message : undefined),
  start: async (open, page) => (await import('./start-runs-table')).startRuns(services(), open, page),
});

export function subject(open: RunsOpen): string {
  if ('experiment' in open) return experimentName(open.experiment);
  // The title is that of the tree.
  if ('sweep' in open)
    return t('Sweep · {0} of {1}', basename(open.sweep).slice(0, 4), basename(dirname(open.sweep)));
  return vscode.workspace.name ?? t('workspace');
}
