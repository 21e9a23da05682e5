import { isAbsolute } from 'node:path';
import * as vscode from 'vscode';
import {
  parseRunsMessage,
  parseRunsOpen,
  type RunsFromPage,
  type RunsOpen,
} from '../../../study/runs-table/panel';
import type { Services } from '../../services';
import type { PanelKind } from '../panel';
import { subject } from './title';

/** The Runs table. */
export const runsPanel = (services: () => Services): PanelKind<RunsOpen, RunsFromPage> => ({
  name: 'runs',
  key: (open) => JSON.stringify(open),
  title: (open) => ('all' in open ? vscode.l10n.t('Runs') : vscode.l10n.t('Runs: {0}', subject(open))),
  parseOpen(value) {
    const open = parseRunsOpen(value);
    if (open === undefined || 'all' in open) return open;
    return isAbsolute('experiment' in open ? open.experiment : open.sweep) ? open : undefined;
  },
  parse: parseRunsMessage,
  start: async (open, page) => (await import('./start')).startRuns(services(), open, page),
});
