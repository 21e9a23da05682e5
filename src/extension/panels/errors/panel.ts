import { isAbsolute } from 'node:path';
import {
  parseErrorsMessage,
  parseErrorsOpen,
  type ErrorsFromPage,
  type ErrorsOpen,
} from '../../../protocol/panels/errors';
import type { Services } from '../../services';
import type { PanelKind } from '../panel';
import { titleOf } from './title';
import type { Contributes } from '../../manifest/declared';

const NAME = 'errors';

export const contributes: Contributes = { panel: NAME };

/** The Errors view: which examples of a set a checkpoint gets wrong, or is least sure of. */
export const errorsPanel = (services: () => Services): PanelKind<ErrorsOpen, ErrorsFromPage> => ({
  name: NAME,
  key: ({ run, step, on = 'validation' }) => `${step} ${on} ${run}`,
  title: ({ run, on }) => titleOf(services().store.run(run), run, on),
  parseOpen(value) {
    const open = parseErrorsOpen(value);
    return open && isAbsolute(open.run) ? open : undefined;
  },
  parse: parseErrorsMessage,
  start: async (open, page) => (await import('./start')).startErrors(services(), open, page),
});
