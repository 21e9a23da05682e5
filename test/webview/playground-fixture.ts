import { basename, resolve } from 'node:path';
import { PlaygroundSession } from '../../src/extension/panels/playground/playground-session';
import type { RunningProgram } from '../../src/extension/launcher/client';
import { startProgram } from '../../src/executors/local/program';
import type { TaskShapes } from '../../src/experiment/tasks/kind';
import { parsePlaygroundMessage, type PlaygroundOpen } from '../../src/protocol/panels/playground';
import { hearPage, sender } from './bridge';
import { openPanel, type Opened } from './harness';

const FIXTURES = resolve('test/fixtures/playground');

/** A model from the fixtures. */
export const fixtureModel = (name: string, adapter = true): PlaygroundOpen => ({
  kind: 'model',
  model: `${FIXTURES}/${name}/model.onnx`,
  ...(adapter && { adapter: `${FIXTURES}/${name}/adapter` }),
});

/** A playground as in VS Code: the page, the host's own session, and the program that answers. */
export interface Wired {
  opened: Opened;
  page: Opened['page'];
  session: PlaygroundSession;
  copied: string[];
  /** Names of the pictures that were saved. */
  saved: string[];
  /** The rows whose tokens were opened. */
  tokens: string[];
  errors: string[];
  /** The programs started so far, in order. */
  programs: RunningProgram[];
  /** The host's messages, by type. */
  posted: string[];
  close(): Promise<void>;
}

export interface WireOptions {
  theme?: NonNullable<Parameters<typeof openPanel>[1]>['theme'];
  width?: number;
  height?: number;
  state?: unknown;
  /** The runs to pick when runs are offered. */
  picks?: readonly string[];
  /** The runs whose adapters are picked, one each time. */
  adapters?: readonly string[];
  /** The runs' input and output; by default, one label for a text. */
  shapes?: TaskShapes;
  /** Replaces the real program. */
  program?: (onLine: (line: string) => void) => Promise<RunningProgram>;
}

export async function wire(open: PlaygroundOpen, options: WireOptions = {}): Promise<Wired> {
  const opened = await openPanel('playground', options);
  const toPage = sender(opened);
  const wired: Wired = {
    opened,
    page: opened.page,
    copied: [],
    saved: [],
    tokens: [],
    errors: [],
    programs: [],
    posted: [],
    session: undefined as unknown as PlaygroundSession,
    async close() {
      wired.session.dispose();
      await Promise.all(wired.programs.map((p) => p.ended.catch(() => undefined)));
      await toPage.settled();
      await opened.close();
    },
  };
  wired.session = new PlaygroundSession(open, {
    async start(onLine) {
      const program = await (options.program ?? realProgram)(onLine);
      wired.programs.push(program);
      return program;
    },
    post: (message) => {
      wired.posted.push(message.type);
      // A copy, because the session keeps changing its view.
      toPage.post(structuredClone(message));
    },
    titleOf: (run) => basename(run),
    shapesOf: () => options.shapes ?? { input: 'text', answer: 'label' },
    pickRuns: () => Promise.resolve(options.picks ?? []),
    pickAdapters: (_, there) =>
      Promise.resolve((options.adapters ?? []).filter((run) => !there.includes(run)).slice(0, 1)),
    copy: (text) => wired.copied.push(text),
    showTokens: (_, row) => wired.tokens.push(row),
    savePicture(name) {
      wired.saved.push(name);
      return Promise.resolve(`${name}.png`);
    },
    failed: (e) => wired.errors.push(String(e)),
  });
  await hearPage(
    opened,
    parsePlaygroundMessage,
    (message) => wired.session.receive(message),
    (problem) => wired.errors.push(problem),
  );
  await opened.send({ type: 'init', open, l10n: {} });
  wired.session.snapshot();
  return wired;
}

const realProgram = (onLine: (line: string) => void): Promise<RunningProgram> =>
  Promise.resolve(
    startProgram({
      node: process.execPath,
      args: [resolve('dist/cli.cjs'), 'play', '--json', '--threads', '1'],
      env: process.env,
      onLine,
      timeout: Infinity,
      input: true,
    }),
  );
