import { basename, isAbsolute } from 'node:path';
import { t } from '../../../base/l10n';
import {
  type ActivationsFromPage,
  type ActivationsOpen,
  parseActivationsMessage,
  parseActivationsOpen,
} from '../../../protocol/panels/activations';
import { labelOfId, runLabel } from '../../../runs/run-labels';
import type { Contributes } from '../../manifest/declared';
import type { RunEntry } from '../../runs/store';
import type { Services } from '../../services';
import type { PanelKind } from '../panel';

const NAME = 'activations';

export const contributes: Contributes = { panel: NAME };

/** The Layer activations dashboard: the inputs and outputs of each adapted layer's σ. */
export function activationsPanel(services: () => Services): PanelKind<ActivationsOpen, ActivationsFromPage> {
  return {
    name: NAME,
    key: ({ run }) => run,
    title: ({ run }) => titleOf(services().store.run(run), run),
    parseOpen(value) {
      const open = parseActivationsOpen(value);
      return open && isAbsolute(open.run) ? open : undefined;
    },
    parse: parseActivationsMessage,
    start: async (open, page) =>
      (await import('./start-activations')).startActivations(services(), open, page),
  };
}

export const titleOf = (entry: RunEntry | undefined, run: string): string =>
  t('Activations: {0}', entry ? runLabel(entry) : labelOfId(basename(run)));
