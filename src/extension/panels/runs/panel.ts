import { isAbsolute } from 'node:path';
import { t } from '../../../base/l10n';
import { parseRunsOpen, type RunsOpen } from '../../../study/runs-table/runs-panel';
import type { Services } from '../../services';
import type { PanelKind } from '../panel';
import { subject } from './title';
import type { Contributes } from '../../manifest/declared';

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
  start: async (open, page) => (await import('./start')).startRuns(services(), open, page),
});
