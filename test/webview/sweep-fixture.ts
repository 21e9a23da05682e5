import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseMessage } from '../../src/extension/panels/sweep/messages';
import { SweepSession } from '../../src/extension/panels/sweep/session';
import { Catalog } from '../../src/extension/runs/catalog';
import type { SweepFromPage, SweepToPage } from '../../src/protocol/panels/sweep';
import { evaluated, started } from '../unit/extension/run-maker';
import { finishedTrial, makeSweep, setSweepStatus, type TrialMade } from '../unit/extension/sweep-folder';
import { context } from '../unit/extension/row-context';
import { hearPage, sender } from './bridge';
import { openPanel, type Opened } from './harness';

const RANKS = [2, 4, 8];
const RATES = [1e-4, 1e-3, 1e-2];
const METHODS = ['lora', 'aurora'];

/** 18 trials over three settings: most have finished, two train, one failed, and the last have not started. */
export const trialsMade = (): TrialMade[] =>
  METHODS.flatMap((method, m) =>
    RANKS.flatMap((rank, r) => RATES.map((rate, l) => ({ method, rank, rate, m, r, l }))),
  ).map(({ method, rank, rate, m, r, l }, i): TrialMade => {
    const settings = {
      'adapter.method': method,
      'adapter.rank': rank,
      'training.learningRate': rate,
    };
    if (i >= 15) return { settings };
    if (i >= 13) return { settings, events: [started, evaluated(40, 0.6)], status: { step: 50 + i } };
    if (i === 4)
      return {
        settings,
        events: [started, { kind: 'failed', step: 7, error: 'disk', message: 'The disk is full.' }],
        status: { state: 'failed', step: 7 },
      };
    return finishedTrial(settings, 0.61 + 0.03 * m + 0.02 * r + 0.1 * l - 0.04 * l * l);
  });

export interface Wired {
  opened: Opened;
  page: Opened['page'];
  /** The sweep's folder. */
  sweep: string;
  session: SweepSession;
  said: SweepFromPage[];
  sent: SweepToPage[];
  errors: string[];
  close(): Promise<void>;
}

/** The page, connected as in VS Code to the host's own session on a real folder. */
export async function wire(options: Parameters<typeof openPanel>[1] = {}): Promise<Wired> {
  const root = mkdtempSync(join(tmpdir(), 'aurora-sweep-'));
  const varied = ['adapter.method', 'adapter.rank', 'training.learningRate'];
  const parameters = { 'adapter.method': METHODS, 'adapter.rank': RANKS, 'training.learningRate': RATES };
  const room = { parallel: 2, threads: 1, engine: 'onnxruntime', device: 'cpu' };
  const sweep = makeSweep(join(root, 'demo.aurora.json'), {
    spec: { type: 'grid', seed: 0, parameters },
    trials: trialsMade(),
    varied,
    room,
  });
  setSweepStatus(sweep, { state: 'running' });
  const catalog = new Catalog();
  catalog.setPlaces([], [root]);
  const opened = await openPanel('sweep', options);
  const toPage = sender(opened);
  const w: Wired = {
    opened,
    page: opened.page,
    sweep,
    said: [],
    sent: [],
    errors: [],
    session: new SweepSession({
      post: (message) => {
        w.sent.push(message);
        toPage.post(message);
      },
      async read() {
        await catalog.look();
        const [found] = catalog.experiments().filter((e) => e.sweeps.length > 0);
        return found ? { sweep: found.sweeps[0], runs: found.runs } : 'gone';
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
    parseMessage,
    (message) => void w.said.push(message),
    (problem) => void w.errors.push(problem),
  );
  await opened.send({ type: 'init', open: { sweep }, l10n: {} });
  w.session.snapshot();
  await opened.page.locator('aurora-trials tbody tr').first().waitFor();
  return w;
}
