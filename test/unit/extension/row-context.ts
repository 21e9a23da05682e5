import type { RowContext } from '../../../src/extension/words/run-row';

export const NOW = Date.UTC(2025, 5, 1, 12);

export const context: RowContext = { locale: 'en', now: NOW, trusted: true };
