import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  ActivationsSession,
  type RunFacts,
} from '../../src/extension/panels/activations/activations-session';
import type { AdapterSpec } from '../../src/experiment/methods';
import { type MeasuringProgress, parseActivationsMessage } from '../../src/protocol/panels/activations';
import { hearPage, sender } from './bridge';
import { openPanel, type Opened } from './harness';

/** Snapshots of a real run: the first 60 steps of the demo. */
export const RUN = resolve('test/fixtures/activations');
export const { adapter } = JSON.parse(readFileSync(join(RUN, 'spec.json'), 'utf8')) as {
  adapter: AdapterSpec;
};

export interface Wired {
  opened: Opened;
  page: Opened['page'];
  facts: RunFacts;
  rows: string[];
  copied: string[];
  errors: string[];
  /** What the host does to measure the effect of σ. */
  measure: (told: (progress: MeasuringProgress) => void) => Promise<void>;
  cancels: number;
  session: ActivationsSession;
  close(): Promise<void>;
}

/** The page, connected to the host's own session as in VS Code. */
export async function wire(
  run: string,
  options: Parameters<typeof openPanel>[1] & { facts?: Partial<RunFacts> } = {},
) {
  const opened = await openPanel('activations', options);
  const wired: Wired = {
    opened,
    page: opened.page,
    facts: {
      name: 'first try',
      experiment: 'debian-sections',
      live: false,
      adapter,
      events: [],
      steps: [],
      ...options.facts,
    },
    rows: [],
    copied: [],
    errors: [],
    measure: () => Promise.resolve(),
    cancels: 0,
    session: undefined as unknown as ActivationsSession,
    async close() {
      wired.session.dispose();
      await toPage.settled();
      await opened.close();
    },
  };
  const toPage = sender(opened);
  wired.session = new ActivationsSession({
    run,
    post: toPage.post,
    facts: () => Promise.resolve(wired.facts),
    measure: (told) => wired.measure(told),
    cancel: () => wired.cancels++,
    openRow: (file, line) => wired.rows.push(`${file}:${line}`),
    copy: (text) => wired.copied.push(text),
    failed: (e) => wired.errors.push(String(e)),
  });
  await hearPage(
    opened,
    parseActivationsMessage,
    (message) => wired.session.receive(message),
    (problem) => wired.errors.push(problem),
  );
  await opened.send({ type: 'init', open: { run }, l10n: {} });
  wired.session.refresh();
  return wired;
}

export const cards = (w: Wired) => w.page.locator('aurora-layer-card');

export async function openFirst(w: Wired): Promise<void> {
  await cards(w).first().waitFor();
  await cards(w).first().focus();
  await w.page.keyboard.press('Enter');
  await w.page.locator('aurora-sigma-chart svg').waitFor();
}
