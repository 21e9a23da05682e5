import { t } from '../../base/l10n';
import type { HubKind } from '../../experiment/hub-reference';
import type { GotReference } from '../../protocol/hub';
import { runSteps } from '../ask/run-steps';
import { CONTEXT } from '../ids';
import type { Services } from '../services';
import { markStep } from '../walkthrough/steps';
import { downloading } from './downloading';
import { argumentsOf, getSteps, type GetState } from './get-steps';
import { pageOf } from './host';

/** The content of the cache after a download: a model with its tokenizer, or the splits of a data set. */
export interface Got {
  /** The name of its repository. */
  id: string;
  references: GotReference[];
}

/**
 * Gets files from the hub to this machine: search, details, download.
 *
 * @param given a name, in place of the search
 * @returns undefined if nothing was got
 */
export async function getFromHub(
  services: Services,
  kind: HubKind,
  given?: string,
): Promise<Got | undefined> {
  const state: GetState = { services, kind, asked: { text: '' }, given };
  const title = kind === 'model' ? t('Get Model') : t('Get Data Set');
  if (!(await runSteps(title, getSteps, state))) return undefined;
  const { id } = state.shown!;
  const references = await downloading(services, argumentsOf(state.shown!), {
    title: t('Downloading {0}', id),
    page: pageOf(kind, id),
  });
  if (!references) return undefined;
  markStep(services.context, CONTEXT.hubUsed);
  return { id, references };
}
