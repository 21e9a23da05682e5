import { basename } from 'node:path';
import type { AuroraError } from '../../base/errors';

/** The reason why a model cannot be used, and the next step. */
export interface Refusal {
  /** Node by node or key by key, with files named as in the model's folder. */
  reasons: string[];
  /** The next step first. */
  hint?: string;
}

/** The alternatives may be a long list, so they come after the next step. */
const LIST = /^(Supported: [^]*?\.) (?=[A-Z])([^]+)$/;

/** @param path of the model, which the view names already */
export function refusalOf(path: string, { message, hint }: Pick<AuroraError, 'message' | 'hint'>): Refusal {
  const short = (text: string) => text.replaceAll(`${path}/`, '').replaceAll(`${path}\\`, '');
  const reasons = message.split('\n').map((line) => short(line).replaceAll(path, basename(path)));
  return { reasons, hint: hint?.replace(LIST, '$2 $1') };
}
