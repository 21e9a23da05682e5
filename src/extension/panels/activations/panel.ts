import { isAbsolute } from 'node:path';
import {
  parseActivationsMessage,
  parseActivationsOpen,
  type ActivationsFromPage,
  type ActivationsOpen,
} from '../../../protocol/panels/activations';
import type { Services } from '../../services';
import type { PanelKind } from '../panel';
import { titleOf } from './title';
import type { Contributes } from '../../manifest/declared';

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
    start: async (open, page) => (await import('./start')).startActivations(services(), open, page),
  };
}
