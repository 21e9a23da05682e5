import { basename } from 'node:path';
import { t } from '../../../base/l10n';
import { experimentName } from '../../../runs/layout';
import type { StudyOpen } from '../../../study/study-panel';
import { labelOfId } from '../../runs/label';

export const subject = (open: StudyOpen): string =>
  'experiment' in open
    ? experimentName(open.experiment)
    : open.runs.length === 1
      ? labelOfId(basename(open.runs[0]))
      : t('{0} runs', open.runs.length);
