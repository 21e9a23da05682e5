import { fill } from '../../../src/base/fill';
import type { RowContext } from '../../../src/extension/words/run-row';
import type { Translate } from '../../../src/extension/translate';

/** Works like vscode.l10n.t without a translation. */
export const t: Translate = fill;

export const NOW = Date.UTC(2025, 5, 1, 12);

export const context: RowContext = { t, locale: 'en', now: NOW, trusted: true };
