import { basename } from 'node:path';
import { t } from '../../../base/l10n';
import { labelOfId, runLabel } from '../../runs/label';
import type { RunEntry } from '../../runs/store';

export const titleOf = (entry: RunEntry | undefined, run: string): string =>
  t('Activations: {0}', entry ? runLabel(entry) : labelOfId(basename(run)));
