import { basename } from 'node:path';
import type { AuroraError } from '../../base/errors';
import { code, escape } from '../markdown';
import type { Translate } from '../translate';

/** Why a model cannot be used, and what to do about it. */
export interface Refusal {
  /** Node by node or key by key, with files named as in the model's folder. */
  reasons: string[];
  hint?: string;
}

/** @param path of the model, which the view names already */
export function refusalOf(path: string, { message, hint }: Pick<AuroraError, 'message' | 'hint'>): Refusal {
  const reasons = message
    .split('\n')
    .map((line) =>
      line.replaceAll(`${path}/`, '').replaceAll(`${path}\\`, '').replaceAll(path, basename(path)),
    );
  return { reasons, ...(hint !== undefined && { hint }) };
}

/**
 * A model as a Markdown document: what `aurora inspect` prints about it, or why it cannot be used.
 *
 * @param read standard output of the command, or its error
 */
export function modelReport(path: string, read: string | AuroraError, t: Translate): string {
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
