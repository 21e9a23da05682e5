import { getFromHub } from '../hub/get';
import type { GotReference } from '../../protocol/hub';
import type { ActionItem, WizardState } from './state';

/** The row that downloads the files the wizard asks for, and takes them. */
export const hubItem = (label: string): ActionItem<'hub'> => ({
  label: `$(cloud-download) ${label}`,
  action: 'hub',
  alwaysShow: true,
});

/** @returns the training data; undefined if nothing was got */
export async function getData(state: WizardState): Promise<string | undefined> {
  const got = await getFromHub(state.services, 'dataset');
  delete state.cached;
  return got && trainingData(got.references);
}

/** The split of a data set that is called so, or its first. */
export const trainingData = (splits: readonly GotReference[]): string | undefined =>
  (splits.find(({ split = '' }) => split.startsWith('train')) ?? splits[0])?.path;
