import { basename, isAbsolute } from 'node:path';
import { t } from '../../../base/l10n';
import { type MeasuredOn, setName } from '../../../experiment/evaluation-sets';
import {
  type ErrorsFromPage,
  type ErrorsOpen,
  parseErrorsMessage,
  parseErrorsOpen,
} from '../../../protocol/panels/errors';
import { labelOfId, runLabel } from '../../../runs/run-labels';
import type { Contributes } from '../../manifest/declared';
import type { RunEntry } from '../../runs/store';
import type { Services } from '../../services';
import type { PanelKind } from '../panel';

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
  start: async (open, page) => (await import('./start-errors')).startErrors(services(), open, page),
});

export function titleOf(entry: RunEntry | undefined, run: string, on: MeasuredOn = 'validation'): string {
  const name = entry ? runLabel(entry) : labelOfId(basename(run));
  return on === 'validation' ? t('Errors: {0}', name) : t('Errors: {0} ({1})', name, setName(on));
}
