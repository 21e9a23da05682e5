import { fill } from '../../../src/base/fill';
import type { RowContext } from '../../../src/extension/words/run-row';
import type { Translate } from '../../../src/extension/translate';

/** As vscode.l10n.t does it without a translation. */
export const t: Translate = fill;

export const NOW = Date.UTC(2025, 5, 1, 12);

export const context: RowContext = { t, locale: 'en', now: NOW, trusted: true };
