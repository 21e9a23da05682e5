import { basename, dirname } from 'node:path';
import { t } from '../../../base/l10n';
import { experimentName } from '../../../runs/layout';
import type { SweepFromPage, SweepOpen } from '../../../protocol/panels/sweep';
import type { Services } from '../../services';
import type { PanelKind } from '../panel';
import { parseMessage, parseOpen } from './messages';
import type { Contributes } from '../../manifest/declared';

const NAME = 'sweep';

export const contributes: Contributes = { panel: NAME };

/** The Sweep page: the trials of one sweep. */
export const sweepPanel = (services: () => Services): PanelKind<SweepOpen, SweepFromPage> => ({
  name: NAME,
  key: ({ sweep }) => sweep,
  title: ({ sweep }) => t('Sweep of {0}', experimentName(basename(dirname(sweep)))),
  parseOpen,
  parse: parseMessage,
  start: async (open, page) => (await import('./start')).startSweep(services(), open, page),
});
