import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClaimSession } from '../../src/extension/panels/claim/claim-session';
import { Catalog } from '../../src/extension/runs/catalog';
import { parseClaimMessage, type ClaimFromPage } from '../../src/study/claim/claim-messages';
import { type ClaimMade, makeClaim } from '../unit/extension/claim-folder';
import { context } from '../unit/extension/row-context';
import { hearPage, sender } from './bridge';
import { openPanel, type Opened } from './harness';

export interface Wired {
  opened: Opened;
  page: Opened['page'];
  /** The claim's folder. */
  claim: string;
  session: ClaimSession;
  said: ClaimFromPage[];
  errors: string[];
  close(): Promise<void>;
}

/** The page, connected as in VS Code to the host's own session on a real folder. */
export async function wire(
  made: ClaimMade = {},
  options: Parameters<typeof openPanel>[1] = {},
  change: (claim: string) => void = () => {},
): Promise<Wired> {
  const root = mkdtempSync(join(tmpdir(), 'aurora-claim-'));
  const file = join(root, 'demo.aurora.json');
  writeFileSync(file, '{}');
  const claim = makeClaim(file, made);
  change(claim);
  const catalog = new Catalog();
  catalog.setPlaces([file], [root]);
  const opened = await openPanel('claim', options);
  const toPage = sender(opened);
  const w: Wired = {
    opened,
    page: opened.page,
    claim,
    said: [],
    errors: [],
    session: new ClaimSession({
      post: (message) => toPage.post(message),
      async read() {
        await catalog.look();
        const [{ claims, sweeps, runs }] = catalog.experiments();
        return claims.length > 0 ? { claim: claims[0], sweeps, runs } : 'gone';
      },
      context: () => context,
      failed: (e) => void w.errors.push(String(e)),
    }),
    async close() {
      w.session.hide();
      await toPage.settled();
      await opened.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
  await hearPage(
    opened,
    parseClaimMessage,
    (message) => void w.said.push(message),
    (problem) => void w.errors.push(problem),
  );
  await opened.send({ type: 'init', open: { claim }, l10n: {} });
  w.session.snapshot();
  await opened.page.locator('aurora-claim h1').waitFor();
  return w;
}
