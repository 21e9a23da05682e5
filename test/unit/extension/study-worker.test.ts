import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  StudySession,
  type KnownRun,
  type StudyHost,
} from '../../../src/extension/panels/study/study-session';
import { StudyWorker } from '../../../src/extension/study-worker/ask-study-worker';
import type { AskedRun } from '../../../src/extension/study-worker/study-questions';
import { KnownRuns } from '../../../src/extension/study-worker/known-runs';
import { errorText } from '../../../src/extension/words/error-text';
import { runPaths, stepName } from '../../../src/runs/layout';
import { geometryFile } from '../../../src/runs/run-in-study';
import { pageStudy } from '../../../src/study/page-study';
import { MOST_SHOWN } from '../../../src/study/shown';
import type { StudyFromHost } from '../../../src/study/study-messages';
import { studyOf } from '../../../src/study/study';
import { scratchFolder } from '../../scratch';
import { aurora, lora, studyRun } from '../study/runs';
import { evaluated, finished, makeRun, spec, started } from './run-maker';
import { temporaryFolders } from '../runs/folder';

const folder = temporaryFolders();
const program = join(scratchFolder('study-worker'), 'study-worker.cjs');
beforeAll(() =>
  build({
    entryPoints: ['src/extension/study-worker/worker.ts'],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'cjs',
  }),
);

const trained = (adapter = aurora(), accuracy = 0.8, seed = 1): string =>
  makeRun(join(folder(), 'demo.aurora.json'), {
    spec: { ...spec, adapter, training: { ...spec.training, seed } },
    events: [started, evaluated(120, accuracy), finished(120, accuracy)],
    result: { outcome: 'finished', steps: 120 },
  });

const asked = (folders: readonly string[], version = 1): AskedRun[] =>
  folders.map((folder, i) => ({ folder, name: `run ${i + 1}`, version }));

describe('runs read by the worker', () => {
  it('are those of the folders, under the given names', async () => {
    const [done, begun] = [trained(), makeRun(join(folder(), 'demo.aurora.json'), { events: [started] })];
    const [damaged, unread] = [trained(), trained()];
    rmSync(runPaths(damaged).spec);
    const known = new KnownRuns();
    expect(await known.read([...asked([done, begun, damaged]), { folder: unread, name: 'x' }])).toMatchObject(
      [
        { folder: done, name: 'run 1', step: 120, metrics: { accuracy: 0.8 } },
        { folder: begun, name: 'run 2', unfit: 'unfinished' },
        { folder: damaged, name: 'run 3', unfit: 'damaged' },
        { folder: unread, name: 'x', unfit: 'damaged' },
      ],
    );
    expect(await known.read([{ ...asked([done])[0], name: 'renamed' }])).toMatchObject([{ name: 'renamed' }]);
  });

  it('are read again if they or their measurements have changed, and only then', async () => {
    const run = trained();
    const known = new KnownRuns();
    const now = async (version: number) => (await known.read(asked([run], version)))[0];
    const first = await now(1);
    // Not a change that the editor has seen.
    appendFileSync(runPaths(run).events, 'damaged\n');
    expect(await now(1)).toEqual(first);
    expect(await now(2)).toMatchObject({ unfit: 'damaged' });
    writeFileSync(runPaths(run).events, '');
    expect(await now(3)).toMatchObject({ unfit: 'unfinished' });

    const other = trained();
    await known.read(asked([other]));
    const state = join(runPaths(other).checkpoints, stepName(120), 'state.json');
    const from = [{ step: 120, sha256: 'a' }];
    for (const path of [state, geometryFile(other)]) mkdirSync(dirname(path), { recursive: true });
    writeFileSync(state, JSON.stringify({ sha256: { 'adapter.safetensors': 'a' } }));
    writeFileSync(
      geometryFile(other),
      JSON.stringify({ version: 1, from, path: [], shares: [0.8, 0.1], modules: [] }),
    );
    expect(await known.read(asked([other]))).toMatchObject([{ geometry: { from } }]);
  });
});

describe('the worker', () => {
  let worker: StudyWorker;
  beforeEach(() => (worker = new StudyWorker({ 'head only': 'nur der Kopf' }, program)));
  afterEach(() => worker.dispose());

  it('computes what this thread would, in the editor’s language, and the report', async () => {
    const runs = asked([trained(lora(), 0.8), trained(aurora(), 0.9), trained({ method: 'none' }, 0.5)]);
    const study = await worker.study({ runs, settings: { against: 'LoRA r=2' } });
    const here = studyOf(await new KnownRuns().read(runs), { against: 'LoRA r=2' });
    // Each thread has its own numbers of settings.
    const text = (value: unknown) =>
      JSON.stringify(value, (key, v: unknown) => (key === 'family' ? undefined : v));
    const words = text(pageStudy(here)).replaceAll('head only', 'nur der Kopf');
    expect(JSON.parse(text(study))).toEqual(JSON.parse(words));
    expect(words).toContain('nur der Kopf');
    const files = await worker.report({ runs, settings: {}, title: 'My runs' });
    expect(files.get('report.md')).toMatch(/^# My runs\n/);
    expect(files.get('runs.csv')!.trimEnd().split('\n')).toHaveLength(4);
  });

  it('reports an error of its thread, and the next question starts another one', async () => {
    const runs = asked([trained()]);
    const broken = { folder: 1 } as unknown as AskedRun;
    const both = [
      worker.study({ runs: [{ ...broken, version: 1 }], settings: {} }),
      worker.study({ runs, settings: {} }),
    ];
    for (const answer of await Promise.allSettled(both))
      expect(answer).toMatchObject({ status: 'rejected', reason: { name: 'TypeError' } });
    expect((await worker.study({ runs, settings: {} })).sections).toHaveLength(1);
  });

  const dying = async (how: string): Promise<unknown> => {
    const path = join(folder(), 'dying.cjs');
    writeFileSync(path, `require('node:worker_threads').parentPort.on('message', () => { ${how} });`);
    const other = new StudyWorker({}, path);
    const question = other.study({ runs: [], settings: {} });
    return question.catch((e: unknown) => e).finally(() => other.dispose());
  };

  it('that needs too much memory reports how a smaller study is opened, and where a large one has more', async () => {
    const error = await dying('const all = []; for (;;) all.push(new Array(1e6).fill(0.5));');
    expect(error).toMatchObject({
      kind: 'memory',
      message: 'The study needs more memory than the 512 MB that it may use.',
    });
    expect(errorText(error)).toMatch(/study of fewer runs: .* `aurora study` in a terminal/);
  });

  it('that ends unexpectedly reports how, and that the study can be opened again', async () => {
    expect(await dying('process.exit(7)')).toMatchObject({
      message: 'The thread that computes the study ended unexpectedly (exit code 7).',
      hint: 'Close other programs if memory is short, then open the study again.',
    });
  });
});

describe('a page’s study', () => {
  it('has a bounded size, however many runs there are', () => {
    const size = (n: number) => {
      const trials = Array.from({ length: n }, (_, i) => studyRun(aurora({ alpha: i + 1 }), 1, i / (2 * n)));
      const unfit = trials.map(({ folder, name }) => ({ folder, name, unfit: 'unfinished' as const }));
      const study = pageStudy(studyOf([...trials, ...unfit], {}));
      expect(study.leftOut).toEqual({
        runs: n,
        words: [`${n.toLocaleString('en-US')} runs are excluded: not finished.`],
      });
      expect(study.missing.find((m) => m.what === 'examples')!.runs.length).toBeLessThanOrEqual(
        MOST_SHOWN + 1,
      );
      return JSON.stringify(study).length;
    };
    expect(size(2000)).toBeLessThan(1.05 * size(400));
  });
});

describe('the session of a page', () => {
  let runs: KnownRun[];
  let posts: StudyFromHost[];
  let looks: number;
  let errors: string[];
  let session: StudySession;
  let exported: Promise<ReadonlyMap<string, string>>;
  let waiting: (() => void)[];

  const start = (path = program) => {
    [posts, looks, errors, waiting] = [[], 0, [], []];
    let done: (files: ReadonlyMap<string, string>) => void;
    exported = new Promise((resolve) => (done = resolve));
    const host: StudyHost = {
      post(message) {
        posts.push(message);
        for (const resolve of waiting.splice(0)) resolve();
      },
      runs: () => (looks++, Promise.resolve({ title: 'Study', runs })),
      measure: () => Promise.resolve(),
      export: (_, files) => Promise.resolve(done(files)),
      copy: () => undefined,
      failed: (e) => void errors.push(String(e)),
    };
    session = new StudySession(host, new StudyWorker({}, path));
  };
  const posted = () => new Promise<void>((resolve) => waiting.push(resolve));
  const known = (folders: readonly string[]) =>
    folders.map((f, i) => ({ folder: f, name: `run ${i}`, run: {} }));
  const last = () => posts.at(-1) as Extract<StudyFromHost, { type: 'study' }>;
  const groups = () => last().study.sections.flatMap((s) => s.groups.map((g) => g.label));

  afterEach(() => session.dispose());

  it('computes once more what changes while a study is computed, however often that is', async () => {
    runs = known([trained(lora())]);
    start();
    session.refresh();
    runs = known([trained(lora()), trained(aurora())]);
    for (let i = 0; i < 5; i++) session.refresh();
    await posted();
    await posted();
    expect(groups()).toEqual(['LoRA r=2', 'AuroRA r=2']);
    expect(looks).toBe(2);
  });

  it('does not show a study with settings that the page has changed since', async () => {
    runs = known([trained(lora()), trained(aurora())]);
    start();
    session.refresh();
    session.receive({ type: 'settings', settings: { metric: 'loss' } });
    await posted();
    expect(posts).toHaveLength(1);
    expect(last().study.metric).toBe('loss');
  });

  it('exports what is shown, also if runs have changed since', async () => {
    runs = known([trained(lora())]);
    start();
    session.refresh();
    await posted();
    runs = known([trained(lora()), trained(aurora())]);
    session.receive({ type: 'export' });
    expect((await exported).get('groups.csv')!.trimEnd().split('\n')).toHaveLength(2);
    expect(looks).toBe(1);
  });

  it('says so if the worker fails, and tries again at the next change', async () => {
    runs = [{ folder: 1 as unknown as string, name: 'x', run: {} }];
    start();
    session.refresh();
    await posted();
    expect(posts).toMatchObject([{ type: 'error', message: expect.stringContaining('string') as string }]);
    expect(errors).toHaveLength(1);
    runs = known([trained()]);
    session.refresh();
    await posted();
    expect(groups()).toEqual(['AuroRA r=2']);
  });

  it('ends its worker when the page is closed, and sends nothing more', async () => {
    runs = known([trained()]);
    start();
    session.refresh();
    await expect.poll(() => threads()).toBeGreaterThan(0);
    session.dispose();
    // The thread would keep this test's process alive.
    await expect.poll(() => threads()).toBe(0);
    expect([posts, errors]).toEqual([[], []]);
  });

  it('starts no worker if the page is closed while its runs are listed', async () => {
    runs = known([trained()]);
    start();
    session.refresh();
    session.dispose();
    // Long enough for the list, which is there already.
    await new Promise((resolve) => setImmediate(resolve));
    expect(threads()).toBe(0);
  });
});

/** Worker threads of this process. */
const threads = (): number =>
  process.getActiveResourcesInfo().filter((name) => name === 'MessagePort' || name === 'Worker').length;
