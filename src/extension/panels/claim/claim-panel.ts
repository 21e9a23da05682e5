import { basename, dirname, isAbsolute } from 'node:path';
import { t } from '../../../base/l10n';
import { isClaimFolder } from '../../../runs/claim-folder';
import { experimentName } from '../../../runs/layout';
import {
  parseClaimMessage,
  parseClaimOpen,
  type ClaimFromPage,
  type ClaimOpen,
} from '../../../study/claim/claim-messages';
import type { Contributes } from '../../manifest/declared';
import type { Services } from '../../services';
import type { PanelKind } from '../panel';

const NAME = 'claim';

export const contributes: Contributes = { panel: NAME };

/** The Claim page: what is claimed, how far its test is, and the verdict. */
export const claimPanel = (services: () => Services): PanelKind<ClaimOpen, ClaimFromPage> => ({
  name: NAME,
  key: ({ claim }) => claim,
  title: ({ claim }) => t('Claim of {0}', experimentName(basename(dirname(claim)))),
  parseOpen(value) {
    const open = parseClaimOpen(value);
    return open && isAbsolute(open.claim) && isClaimFolder(open.claim) ? open : undefined;
  },
  parse: parseClaimMessage,
  start: async (open, page) => (await import('./start-claim')).startClaim(services(), open, page),
});
