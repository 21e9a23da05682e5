import { basename, dirname, isAbsolute } from 'node:path';
import { t } from '../../../base/l10n';
import {
  parseSweepMessage,
  parseSweepOpen,
  type SweepFromPage,
  type SweepOpen,
} from '../../../protocol/panels/sweep';
import { experimentName } from '../../../runs/layout';
import type { Contributes } from '../../manifest/declared';
import type { Services } from '../../services';
import type { PanelKind } from '../panel';

const NAME = 'sweep';

export const contributes: Contributes = { panel: NAME };

/** The Sweep page: the trials of one sweep. */
export const sweepPanel = (services: () => Services): PanelKind<SweepOpen, SweepFromPage> => ({
  name: NAME,
  key: ({ sweep }) => sweep,
  title: ({ sweep }) => t('Sweep of {0}', experimentName(basename(dirname(sweep)))),
  parseOpen(value) {
    const open = parseSweepOpen(value);
    return open && isAbsolute(open.sweep) ? open : undefined;
  },
  parse: parseSweepMessage,
  start: async (open, page) => (await import('./start-sweep')).startSweep(services(), open, page),
});
