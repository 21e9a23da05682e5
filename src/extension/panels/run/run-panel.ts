import { t } from '../../../base/l10n';
import { parseRunMessage, parseRunOpen, type RunFromPage, type RunOpen } from '../../../protocol/panels/run';
import { runPaths } from '../../../runs/layout';
import { runLabel } from '../../../runs/run-labels';
import type { Contributes } from '../../manifest/declared';
import type { RunEntry } from '../../runs/store';
import type { Services } from '../../services';
import type { PanelKind } from '../panel';

const NAME = 'run';

export const contributes: Contributes = { panel: NAME };

/** The Run dashboard: one run, or several overlaid. */
export const runPanel = (services: () => Services): PanelKind<RunOpen, RunFromPage> => ({
  name: NAME,
  key: ({ runs }) => JSON.stringify(runs),
  title: ({ runs }) =>
    runs.length === 1 ? titleOf(services().store.run(runs[0])) : t('Compare {0} runs', runs.length),
  parseOpen: parseRunOpen,
  folders: ({ runs }) => runs.map((run) => runPaths(run).pictures),
  parse: parseRunMessage,
  start: async (open, page) => (await import('./start-run')).startRun(services(), open, page),
});

const titleOf = (entry: RunEntry | undefined): string => (entry ? runLabel(entry) : t('Run'));
