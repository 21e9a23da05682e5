import { basename } from 'node:path';
import { inspectionReport } from '../../adapters/inspection-report';
import type { Inspection } from '../../adapters/inspection';
import { AuroraError } from '../../base/errors';
import { t } from '../../base/l10n';
import { codeSpan } from '../../base/escape';
import type { Report } from '../../protocol/reports/report';
import { refusalOf } from './refusal-text';

/** A model as `aurora inspect` sees it, or the reason why it cannot be used. */
export function modelReport(path: string, read: Inspection | AuroraError): Report {
  const name = basename(path);
  if (!(read instanceof AuroraError)) return inspectionReport(name, read);
  const { reasons, hint } = refusalOf(path, read);
  return {
    title: t('{0} cannot be used', name),
    parts: [
      { list: reasons },
      ...(hint === undefined ? [] : [{ heading: t('What to do') }, hint]),
      t('The model is {0}.', codeSpan(path)),
    ],
  };
}
