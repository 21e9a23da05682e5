import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SweepSession } from '../../src/extension/panels/sweep/sweep-session';
import { Catalog } from '../../src/extension/runs/catalog';
import type { StopReason } from '../../src/protocol/events';
import type { ClusterFile } from '../../src/protocol/run-files/cluster';
import { clusterPath } from '../../src/runs/sweep/cluster-file';
import { parseSweepMessage, type SweepFromPage, type SweepToPage } from '../../src/protocol/panels/sweep';
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

const RATE = 'training.learningRate';
const rate = (i: number): number => Number((1e-4 * 10 ** ((i * 2.5) / 30)).toPrecision(2));
const at40 = (accuracy: number) => [started, evaluated(40, accuracy)];
const room = { parallel: 2, threads: 1, engine: 'onnxruntime', device: 'cpu' };

/** Thirty random trials with successive halving: twenty are pruned, four wait, one diverged, two train, three have finished. */
export function prunedSweep(): SweepMade {
  const trials = Array.from({ length: 30 }, (_, i): TrialMade => {
    const settings = { [RATE]: rate(i), 'adapter.rank': [2, 4, 8, 16][i % 4], 'training.seed': i % 3 };
    const accuracy = 0.9 - 0.02 * Math.abs(i - 18);
    const stopped = (...reasons: StopReason[]) =>
      reasons.map((reason) => ({ kind: 'stopped', step: 40, reason }) as const);
    const status = { state: 'stopped', step: 40 } as const;
    if (i === 29)
      return {
        settings,
        events: [
          ...at40(0.5),
          { kind: 'diverged-evaluation', step: 80, epoch: 2, reason: 'non-finite', seconds: 1 },
          { kind: 'failed', step: 80, error: 'diverged', message: 'The loss is not finite.' },
        ],
        status: { state: 'failed', step: 80 },
      };
    if (i >= 17 && i <= 19) return finishedTrial(settings, accuracy);
    if (i === 16 || i === 20) return { settings, events: at40(accuracy), status: { step: 75 } };
    if (i >= 14 && i <= 22) return { settings, events: [...at40(accuracy), ...stopped('rung')], status };
    return { settings, events: [...at40(accuracy), ...stopped('rung', 'pruned')], status };
  });
  const parameters = {
    [RATE]: { min: 1e-4, max: 0.03, scale: 'log' as const },
    'adapter.rank': [2, 4, 8, 16],
  };
  const pruning = { eta: 3, minEpochs: 1 };
  return {
    spec: { type: 'random', seed: 0, count: 30, parameters, pruning },
    trials,
    varied: [RATE, 'adapter.rank', 'training.seed'],
    room,
  };
}

/** Three learning rates with one seed; the best of them with two more, the others are passed over. */
export const rateSearch = (): SweepMade => ({
  spec: {
    type: 'grid',
    seed: 0,
    parameters: { [RATE]: RATES, 'training.seed': [0, 1, 2] },
    learningRateSearch: { seeds: 1 },
  },
  trials: [0, 1, 2].flatMap((seed) =>
    RATES.map((value, i): TrialMade => {
      const settings = { [RATE]: value, 'training.seed': seed };
      if (seed > 0 && i !== 1) return { settings, passedOver: true };
      return seed < 2 ? finishedTrial(settings, 0.6 + 0.1 * (i % 2) + 0.01 * seed) : { settings };
    }),
  ),
  varied: [RATE, 'training.seed'],
  room,
});

/** Trials that each change something else. */
export const listSweep = (): SweepMade => {
  const list = [{ 'adapter.rank': 8 }, { [RATE]: 0.01 }, { 'training.epochs': 6, 'training.batchSize': 32 }];
  const trials = list.map((settings, i) => finishedTrial(settings, 0.7 + 0.05 * i));
  return {
    spec: { type: 'list', seed: 0, trials: list },
    trials,
    varied: ['adapter.rank', RATE, 'training.epochs', 'training.batchSize'],
    room,
  };
};

/** Seven trials on Slurm: in every state that its scheduler tells, and what it said when it last answered. */
export function clusterSweep(): { made: SweepMade; cluster: ClusterFile } {
  const on = { host: 'node7', boot: 'another' } as const;
  const saved = [started, evaluated(40, 0.66), { kind: 'stopped', step: 40, reason: 'preempted' }] as const;
  const trials = [1, 2, 4, 8, 16, 32, 64].map((value, i): TrialMade => {
    const settings = { 'adapter.rank': value };
    if (i === 0) return finishedTrial(settings, 0.71);
    if (i === 1) return { settings, events: [started, evaluated(40, 0.6)], status: { ...on, step: 70 } };
    if (i === 2) return { settings, events: saved, status: { ...on, state: 'stopped', step: 40 } };
    return { settings };
  });
  const lost = { times: 1, at: Date.now(), code: 'NODE_FAIL', node: 'node3' };
  return {
    made: {
      spec: { type: 'grid', seed: 0, parameters: { 'adapter.rank': [1, 2, 4, 8, 16, 32, 64] } },
      trials,
      varied: ['adapter.rank'],
      on: 'slurm',
    },
    cluster: {
      version: 1,
      executor: 'slurm',
      place: 'login.example.org',
      at: Date.now(),
      unreachable: { since: Date.UTC(2026, 0, 2, 12), message: 'login.example.org: No route to host.' },
      trials: {
        t1: { state: 'finished', job: '4711_0' },
        t2: { state: 'running', job: '4711_1', node: 'node7', log: '/shared/4711_1.log' },
        t3: { state: 'queued', job: '4711_2', code: 'BeginTime', restarts: 1 },
        t4: { state: 'queued', job: '4712_0', code: 'Priority', lost },
        t5: { state: 'queued', job: '4711_4', code: 'JobArrayTaskLimit' },
        t6: { state: 'lost', job: '4711_5', code: 'OUT_OF_MEMORY', lost: { ...lost, code: 'OUT_OF_MEMORY' } },
        t7: { state: 'cancelled', job: '4711_6' },
      },
    },
  };
}

type SweepMade = Parameters<typeof makeSweep>[1];

function gridSweep(): SweepMade {
  const parameters = { 'adapter.method': METHODS, 'adapter.rank': RANKS, [RATE]: RATES };
  return {
    spec: { type: 'grid', seed: 0, parameters },
    trials: trialsMade(),
    varied: ['adapter.method', 'adapter.rank', RATE],
    room,
  };
}

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
export async function wire(
  options: Parameters<typeof openPanel>[1] = {},
  made: SweepMade = gridSweep(),
  cluster?: ClusterFile,
): Promise<Wired> {
  const root = mkdtempSync(join(tmpdir(), 'aurora-sweep-'));
  const sweep = makeSweep(join(root, 'demo.aurora.json'), made);
  if (cluster) writeFileSync(clusterPath(sweep), JSON.stringify(cluster));
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
    parseSweepMessage,
    (message) => void w.said.push(message),
    (problem) => void w.errors.push(problem),
  );
  await opened.send({ type: 'init', open: { sweep }, l10n: {} });
  w.session.snapshot();
  await opened.page.locator('aurora-trials tbody tr').first().waitFor();
  return w;
}
