import { t } from '../base/l10n';

import type { TrainingSpec } from './experiment';

/** The length of a run according to its settings: "3 epochs", or "2000 steps" where training.maxSteps decides. */
export function trainingLength({ epochs, maxSteps }: Pick<TrainingSpec, 'epochs' | 'maxSteps'>): string {
  if (maxSteps !== undefined) return maxSteps === 1 ? t('1 step') : t('{0} steps', maxSteps);
  return epochs === 1 ? t('1 epoch') : t('{0} epochs', epochs);
}
