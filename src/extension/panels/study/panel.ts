import { isAbsolute } from 'node:path';
import { t } from '../../../base/l10n';
import {
  parseStudyMessage,
  parseStudyOpen,
  type StudyFromPage,
  type StudyOpen,
} from '../../../study/study-panel';
import type { Services } from '../../services';
import type { PanelKind } from '../panel';
import { subject } from './title';
import type { Contributes } from '../../manifest/declared';

const NAME = 'study';

export const contributes: Contributes = { panel: NAME };

/** The Study dashboard: runs compared as groups. */
export const studyPanel = (services: () => Services): PanelKind<StudyOpen, StudyFromPage> => ({
  name: NAME,
  key: (open) => JSON.stringify(open),
  title: (open) => t('Study: {0}', subject(open)),
  parseOpen(value) {
    const open = parseStudyOpen(value);
    const paths = open && ('experiment' in open ? [open.experiment] : open.runs);
    return paths?.every((path) => isAbsolute(path)) ? open : undefined;
  },
  parse: parseStudyMessage,
  start: async (open, page) => (await import('./start')).startStudy(services(), open, page),
});
