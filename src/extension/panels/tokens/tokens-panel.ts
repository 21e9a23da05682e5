import { isAbsolute } from 'node:path';
import { t } from '../../../base/l10n';
import {
  parseTokensMessage,
  parseTokensOpen,
  type TokensFromPage,
  type TokensOpen,
} from '../../../protocol/panels/tokens';
import { experimentName } from '../../../runs/layout';
import type { Contributes } from '../../manifest/declared';
import type { Services } from '../../services';
import type { PanelKind } from '../panel';

const NAME = 'tokens';

export const contributes: Contributes = { panel: NAME };

/** The Tokens view: the rows of an experiment's texts as training reads them, and what of them counts in the loss. */
export const tokensPanel = (services: () => Services): PanelKind<TokensOpen, TokensFromPage> => ({
  name: NAME,
  key: ({ file, row = '', split = '' }) => `${split} ${row} ${file}`,
  title: ({ file }) => t('Tokens: {0}', experimentName(file)),
  parseOpen(value) {
    const open = parseTokensOpen(value);
    return open && isAbsolute(open.file) ? open : undefined;
  },
  parse: parseTokensMessage,
  start: async (open, page) => (await import('./start-tokens')).startTokens(services(), open, page),
});
