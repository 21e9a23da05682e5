import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ErrorsSession } from '../../src/extension/panels/errors/errors-session';
import type { MeasuredOn } from '../../src/experiment/evaluation-sets';
import { predictionsFile } from '../../src/runs/predictions';
import { parseErrorsMessage } from '../../src/protocol/panels/errors';
import { encodePredictions, type Predictions } from '../../src/protocol/predictions';
import { hearPage, sender } from './bridge';
import { openPanel, type Opened } from './harness';

/** The Errors page as VS Code would show it. */
export interface Wired {
  opened: Opened;
  page: Opened['page'];
  session: ErrorsSession;
  data: string;
  rows: string[];
  copied: string[];
  sets: string[];
  asked: number;
  canceled: number;
  errors: string[];
  close(): Promise<void>;
}

type Options = Parameters<typeof openPanel>[1] & { sets?: readonly MeasuredOn[] };

/** The page, connected as in VS Code to the host's own session on a predictions file. */
export async function wire(made: Predictions, options: Options = {}): Promise<Wired> {
  const run = mkdtempSync(join(tmpdir(), 'aurora-errors-'));
  const data = join(run, 'validation.jsonl');
  writeFileSync(data, 'rows');
  const sha256 = createHash('sha256').update('rows').digest('hex');
  const file = predictionsFile(run, made.step);
  mkdirSync(dirname(file));
  writeFileSync(file, encodePredictions({ ...made, data: { file: data, sha256 } }));
  const opened = await openPanel('errors', options);
  const toPage = sender(opened);
  const w: Wired = {
    opened,
    page: opened.page,
    data,
    rows: [],
    copied: [],
    sets: [],
    asked: 0,
    canceled: 0,
    errors: [],
    async close() {
      w.session.dispose();
      await toPage.settled();
      await opened.close();
      rmSync(run, { recursive: true, force: true });
    },
    session: new ErrorsSession({
      run,
      step: made.step,
      on: 'validation',
      post: toPage.post,
      facts: () =>
        Promise.resolve({
          name: 'first try',
          experiment: 'tiny',
          events: [],
          sets: options.sets ?? ['validation'],
        }),
      predict: () => {
        w.asked++;
        writeFileSync(file, encodePredictions({ ...made, data: { file: data, sha256 } }));
        return Promise.resolve();
      },
      cancel: () => void w.canceled++,
      openRow: (path, line) => w.rows.push(`${path}:${line}`),
      openSet: (on) => w.sets.push(on),
      copy: (text) => w.copied.push(text),
      failed: (e) => w.errors.push(String(e)),
    }),
  };
  await hearPage(
    opened,
    parseErrorsMessage,
    (message) => w.session.receive(message),
    (problem) => w.errors.push(problem),
  );
  await opened.send({ type: 'init', open: { run, step: made.step }, l10n: {} });
  w.session.refresh();
  return w;
}

export const rows = (w: Wired) => w.page.locator('.list tbody tr');
export const status = (w: Wired) => w.page.locator('.tools [role=status]').innerText();
export const chips = (w: Wired) => w.page.locator('.chip > span:first-child').allInnerTexts();
