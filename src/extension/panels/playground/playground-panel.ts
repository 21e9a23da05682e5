import { basename } from 'node:path';
import { t } from '../../../base/l10n';
import {
  parsePlaygroundMessage,
  parsePlaygroundOpen,
  type PlaygroundFromPage,
  type PlaygroundOpen,
} from '../../../protocol/panels/playground';
import { modelName } from '../../../protocol/play-question';
import { labelOfId, runLabel } from '../../../runs/run-labels';
import type { Contributes } from '../../manifest/declared';
import type { Services } from '../../services';
import type { PanelKind } from '../panel';

const NAME = 'playground';

export const contributes: Contributes = { panel: NAME };

/** The Playground: a text or an image, and the answers of a checkpoint, its base and other runs. */
export const playgroundPanel = (services: () => Services): PanelKind<PlaygroundOpen, PlaygroundFromPage> => ({
  name: NAME,
  key: (open) => JSON.stringify(open),
  title: (open) => titleOf(services(), open),
  parseOpen: parsePlaygroundOpen,
  parse: parsePlaygroundMessage,
  start: async (open, page) => (await import('./start-playground')).startPlayground(services(), open, page),
});

export function nameOf({ store }: Services, run: string): string {
  const entry = store.run(run);
  return entry ? runLabel(entry) : labelOfId(basename(run));
}

export const titleOf = (services: Services, open: PlaygroundOpen): string =>
  t(
    'Playground: {0}',
    open.kind === 'run' ? nameOf(services, open.run) : modelName(open.model, open.adapter),
  );
