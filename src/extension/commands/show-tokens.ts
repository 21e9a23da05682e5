import { t } from '../../base/l10n';
import { experimentFrom } from '../ask/pick';
import { explaining } from '../ask/training-problems';
import { savedExperiment } from '../hub/downloading';
import { trustedFor } from '../notices/open-report';
import type { Services } from '../services';

/** Opens the Tokens view of an experiment, which is saved first: the trainer program reads it from disk. */
export async function showTokens(services: Services, argument: unknown): Promise<void> {
  const title = t('Select an experiment to show the tokens of its rows');
  const file = await experimentFrom(services, argument, title);
  if (file === undefined) return;
  const message = t(
    'Tokens are made by the trainer program, which requires a trusted workspace. Budgets, CodeLens and diagnostics work without trust.',
  );
  if (!(await trustedFor(message))) return;
  await explaining(async () => {
    if (await savedExperiment(services, file)) services.panels.openTokens({ file });
  });
}
