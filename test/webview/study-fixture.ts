import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { StudySession, type KnownRun } from '../../src/extension/panels/study/study-session';
import { StudyWorker } from '../../src/extension/study-worker/ask-study-worker';
import { writeAtomic } from '../../src/files/atomic';
import { runPaths, stepName } from '../../src/runs/layout';
import { nonlinearityFile } from '../../src/runs/nonlinearity';
import { predictionsFile } from '../../src/runs/predictions';
import { SummaryReader } from '../../src/runs/summary-reader';
import { geometryFile, mergedFile } from '../../src/runs/run-in-study';
import type { AdapterSpec } from '../../src/experiment/methods';
import { parseStudyMessage } from '../../src/study/study-messages';
import { encodePredictions } from '../../src/protocol/predictions';
import type { Geometry } from '../../src/study/geometry';
import { nonlinearityResult } from '../nonlinearity-result';
import { finished, makeRun, metrics, spec, started } from '../unit/extension/run-maker';
import { predictions } from '../unit/protocol/columns';
import { aurora, lora } from '../unit/study/runs';
import { hearPage, sender } from './bridge';
import { openPanel, type Opened } from './harness';

const STEP = 120;
const EXAMPLES = 100;

/** The settings of a small study: LoRA with two ranks, AuroRA and two of its ablations. */
export const METHODS: [AdapterSpec, number][] = [
  [lora(2), 0.81],
  [lora(8), 0.84],
  [aurora(), 0.83],
  [aurora({ fixed: false }), 0.8],
  [aurora({ learnable: false }), 0.79],
];

/** A finished run's folder with the files that training leaves. */
export function finishedRun(
  experiment: string,
  adapter: AdapterSpec,
  seed: number,
  accuracy: number,
): string {
  const right = Math.round(accuracy * EXAMPLES) + ((seed * 7) % 3) - 1;
  const last = { ...metrics(right / EXAMPLES), examples: EXAMPLES };
  const run = makeRun(experiment, {
    spec: {
      ...spec,
      adapter,
      data: { ...spec.data, validation: '/data/validation.jsonl' },
      training: { ...spec.training, seed },
    },
    events: [
      { ...started, trainable: adapter.method === 'lora' ? 3072 * adapter.rank : 6224 } as typeof started,
      { kind: 'evaluation', step: STEP, epoch: 3, metrics: last, best: true, seconds: 1 },
      { kind: 'checkpoint', step: STEP, path: `checkpoints/${stepName(STEP)}` },
      finished(STEP, accuracy),
    ],
    result: {
      last,
      peakMemory: (300 + 10 * seed) * 2 ** 20,
      environment: { engine: 'onnxruntime', device: 'cpu' },
    },
  });
  const columns = ['step', 'seconds'];
  writeFileSync(runPaths(run).scalarColumns, JSON.stringify({ version: 1, columns }));
  const rows = Float64Array.from({ length: 2 * STEP }, (_, i) => (i % 2 ? 0.1 + 0.01 * seed : i / 2 + 1));
  writeFileSync(runPaths(run).scalars, new Uint8Array(rows.buffer));
  const state = join(runPaths(run).checkpoints, stepName(STEP), 'state.json');
  mkdirSync(dirname(state), { recursive: true });
  writeFileSync(state, JSON.stringify({ sha256: { 'adapter.safetensors': `sum of ${seed}` } }));
  return run;
}

/** Adds the files that `aurora study --measure` leaves. */
export async function measured(run: string): Promise<void> {
  const { spec, events } = await new SummaryReader(run).read();
  const { seed } = spec.training;
  const { metrics: trained } = events.find((e) => e.kind === 'evaluation')!;
  const right = Math.round(trained.accuracy! * EXAMPLES);
  const all = Array.from({ length: EXAMPLES }, (_, i) => {
    const label = i % 2;
    const isRight = (i * 13 + 5 * seed) % EXAMPLES < right;
    return { label, shares: isRight === (label === 0) ? [0.8, 0.2] : [0.2, 0.8], tokens: 8, cut: false };
  });
  const made = predictions(all, { labels: ['a', 'b'], excerpts: [] });
  writeAtomic(predictionsFile(run, STEP), encodePredictions({ ...made, step: STEP, evaluation: trained }));
  const fitted = { ...trained, accuracy: trained.accuracy! - 0.01 };
  const paper = { ...trained, accuracy: trained.accuracy! - 0.04 };
  writeAtomic(
    mergedFile(run, STEP),
    JSON.stringify({ version: 1, step: STEP, adapter: `sum of ${seed}`, trained, fitted, paper }),
  );
  writeAtomic(
    nonlinearityFile(run, STEP),
    JSON.stringify(nonlinearityResult({ step: STEP, evaluation: trained })),
  );
  const geometry: Geometry = {
    version: 1,
    from: [{ step: STEP, sha256: `sum of ${seed}` }],
    path: [0, 30, 60, 90, STEP].map((step, i) => ({ step, x: i * i - 8, y: (i - 2) ** 2 })),
    shares: [0.8, 0.15],
    modules: ['query', 'value'].map((path, i) => ({ path: `layer.${i}.${path}`, values: [3 - i, 1] })),
  };
  writeAtomic(geometryFile(run), JSON.stringify(geometry));
}

export interface Wired {
  opened: Opened;
  page: Opened['page'];
  session: StudySession;
  runs: string[];
  measures: string[][];
  reports: ReadonlyMap<string, string>[];
  copied: string[];
  errors: string[];
  close(): Promise<void>;
}

/** The page, connected as in VS Code to the host's own session on real run folders. */
export async function wire(
  make: (experiment: string) => string[],
  options: Parameters<typeof openPanel>[1] = {},
): Promise<Wired> {
  const folder = mkdtempSync(join(tmpdir(), 'aurora-study-'));
  const runs = make(join(folder, 'demo.aurora.json'));
  const readers = new Map<string, SummaryReader>();
  const known = async (run: string): Promise<KnownRun> => {
    const reader = readers.get(run) ?? new SummaryReader(run);
    readers.set(run, reader);
    return { folder: run, name: run.slice(-8), run: await reader.read() };
  };
  const opened = await openPanel('study', options);
  const toPage = sender(opened);
  const w: Wired = {
    opened,
    page: opened.page,
    runs,
    measures: [],
    reports: [],
    copied: [],
    errors: [],
    session: new StudySession(
      {
        post: toPage.post,
        runs: async () => ({ title: 'Study of demo', runs: await Promise.all(w.runs.map(known)) }),
        async measure(wanted) {
          w.measures.push([...wanted]);
          for (const run of wanted) await measured(run);
        },
        export: (_, files) => Promise.resolve(void w.reports.push(files)),
        copy: (text) => void w.copied.push(text),
        failed: (e) => void w.errors.push(String(e)),
      },
      new StudyWorker({}, resolve('dist/study-worker.cjs')),
    ),
    async close() {
      w.session.dispose();
      await toPage.settled();
      await opened.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await hearPage(
    opened,
    parseStudyMessage,
    (message) => w.session.receive(message),
    (problem) => w.errors.push(problem),
  );
  await opened.send({ type: 'init', open: { experiment: join(folder, 'demo.aurora.json') }, l10n: {} });
  w.session.refresh();
  return w;
}
