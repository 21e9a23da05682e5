import { basename } from 'node:path';
import { t } from '../../../base/l10n';
import { setName, type MeasuredOn } from '../../../experiment/evaluation-sets';
import { labelOfId, runLabel } from '../../runs/label';
import type { RunEntry } from '../../runs/store';

export function titleOf(entry: RunEntry | undefined, run: string, on: MeasuredOn = 'validation'): string {
  const name = entry ? runLabel(entry) : labelOfId(basename(run));
  return on === 'validation' ? t('Errors: {0}', name) : t('Errors: {0} ({1})', name, setName(on));
}
