import { t } from '../../base/l10n';
import type { Finding } from './verdict';

/** A finding in a word or two. */
export const findingWords = (finding: Finding): string =>
  ({
    supported: t('holds'),
    refuted: t('does not hold'),
    small: t('holds, below what matters'),
    open: t('undecided'),
  })[finding];
