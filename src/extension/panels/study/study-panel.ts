import { basename, isAbsolute } from 'node:path';
import { t } from '../../../base/l10n';
import { experimentName } from '../../../runs/layout';
import { labelOfId } from '../../../runs/run-labels';
import {
  parseStudyMessage,
  parseStudyOpen,
  type StudyFromPage,
  type StudyOpen,
} from '../../../study/study-messages';
import type { Contributes } from '../../manifest/declared';
import type { Services } from '../../services';
import type { PanelKind } from '../panel';

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
  start: async (open, page) => (await import('./start-study')).startStudy(services(), open, page),
});

export const subject = (open: StudyOpen): string =>
  'experiment' in open
    ? experimentName(open.experiment)
    : open.runs.length === 1
      ? labelOfId(basename(open.runs[0]))
      : t('{0} runs', open.runs.length);
