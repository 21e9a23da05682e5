import { t } from '../../base/l10n';
import type { HubKind } from '../../experiment/hub-reference';
import { showError } from '../ask/guard';
import { getFromHub, type Got } from '../hub/get-from-hub';
import type { Services } from '../services';
import { notify } from '../messages/notify';

/** The newest download in this window, for the experiment that needs it. */
const last: Partial<Record<HubKind, Got>> = {};

/** Gets a model or a data set, and offers an experiment for it. */
export async function getThenOffer(services: Services, kind: HubKind, given?: string): Promise<void> {
  const got = await getFromHub(services, kind, given);
  if (!got) return;
  last[kind] = got;
  const create = t('New Experiment');
  const other = kind === 'model' ? t('Get Data Set') : t('Get Model');
  const both = last.model !== undefined && last.dataset !== undefined;
  const message = both
    ? t('{0} and {1} are on this machine.', last.model!.id, last.dataset!.id)
    : t('{0} is on this machine.', got.id);
  // Not awaited by the command, which has ended by then.
  void notify
    .information(message, ...(both ? [create, other] : [other, create]))
    .then(async (picked) => {
      if (picked === other) return getThenOffer(services, kind === 'model' ? 'dataset' : 'model');
      if (picked !== create) return;
      const { newExperiment } = await import('../wizard/new-experiment');
      await newExperiment(services, {
        ...(last.model && { model: last.model.references[0]!.path }),
        ...(last.dataset && { data: last.dataset.references }),
      });
    })
    .then(undefined, (e: Error) => showError(services.log, e));
}
