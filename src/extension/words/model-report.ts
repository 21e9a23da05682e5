import { basename } from 'node:path';
import type { AuroraError } from '../../base/errors';
import { t } from '../../base/l10n';
import { code, escape } from '../markdown';
import { refusalOf } from './refusal-text';

/**
 * A model as a Markdown document: the report of `aurora inspect`, or the reason why it cannot be used.
 *
 * @param read standard output of the command, or its error
 */
export function modelReport(path: string, read: string | AuroraError): string {
  const name = escape(basename(path));
  if (typeof read === 'string') return `# ${name}\n\n\`\`\`text\n${read.trimEnd()}\n\`\`\`\n`;
  const { reasons, hint } = refusalOf(path, read);
  return [
    `# ${t('{0} cannot be used', name)}`,
    reasons.map((reason) => `- ${escape(reason)}`).join('\n'),
    ...(hint === undefined ? [] : [`## ${t('What to do')}`, escape(hint)]),
    t('The model is {0}.', code(path)),
  ]
    .join('\n\n')
    .concat('\n');
}
