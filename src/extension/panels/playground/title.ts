import { basename } from 'node:path';
import { t } from '../../../base/l10n';
import type { PlaygroundOpen } from '../../../protocol/panels/playground';
import { modelName } from '../../../protocol/playground';
import { labelOfId, runLabel } from '../../runs/label';
import type { Services } from '../../services';

export function nameOf({ store }: Services, run: string): string {
  const entry = store.run(run);
  return entry ? runLabel(entry) : labelOfId(basename(run));
}

export const titleOf = (services: Services, open: PlaygroundOpen): string =>
  t(
    'Playground: {0}',
    open.kind === 'run' ? nameOf(services, open.run) : modelName(open.model, open.adapter),
  );
