import type { Likelihood } from '../ask/run-steps';
import { describeTask } from '../../experiment/tasks/registry';
import type { WizardState } from './wizard-state';

export const readsImages = ({ task }: WizardState): boolean => describeTask(task!).input === 'image';

export const drawsPictures = ({ task }: WizardState): boolean => describeTask(task!).answer === 'picture';

/** True if texts are read: neither images nor pictures of a subject. */
export const readsTexts = (state: WizardState): boolean => !readsImages(state) && !drawsPictures(state);

/** True if a later step of texts is asked. Until the task is chosen, most models read texts. */
export const textsAhead = (state: WizardState): boolean | Likelihood =>
  state.task === undefined ? 'likely' : readsTexts(state);

export const imagesAhead = (state: WizardState): boolean => state.task !== undefined && readsImages(state);

export const picturesAhead = (state: WizardState): boolean =>
  state.task !== undefined && drawsPictures(state);

/** True if a later step of anything but pictures of a subject is asked. */
export const tablesAhead = (state: WizardState): boolean | Likelihood =>
  state.task === undefined ? 'likely' : !drawsPictures(state);
