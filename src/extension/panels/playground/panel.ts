import {
  parsePlaygroundMessage,
  parsePlaygroundOpen,
  type PlaygroundFromPage,
  type PlaygroundOpen,
} from '../../../protocol/panels/playground';
import type { Services } from '../../services';
import type { PanelKind } from '../panel';
import { titleOf } from './title';
import type { Contributes } from '../../manifest/declared';

const NAME = 'playground';

export const contributes: Contributes = { panel: NAME };

/** The Playground: a text or an image, and the answers of a checkpoint, its base and other runs. */
export const playgroundPanel = (services: () => Services): PanelKind<PlaygroundOpen, PlaygroundFromPage> => ({
  name: NAME,
  key: (open) => JSON.stringify(open),
  title: (open) => titleOf(services(), open),
  parseOpen: parsePlaygroundOpen,
  parse: parsePlaygroundMessage,
  start: async (open, page) => (await import('./start')).startPlayground(services(), open, page),
});
