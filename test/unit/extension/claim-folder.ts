import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Claim } from '../../../src/experiment/claim';
import type { Experiment } from '../../../src/experiment/experiment';
import { SEED, type Settings } from '../../../src/experiment/sweep';
import { writeAtomic } from '../../../src/files/atomic';
import { thisProcess } from '../../../src/files/processes';
import type { RunStatus } from '../../../src/protocol/events';
import { claimPaths } from '../../../src/runs/claim-folder';
import { experimentClaims } from '../../../src/runs/layout';
import { readSweep } from '../../../src/runs/sweep/record';
import type { Certificate, CertifiedRun, FrozenClaim, Look } from '../../../src/study/claim/certificate';
import type { ClaimProgress } from '../../../src/study/claim/claim-files';
import { claimReport } from '../../../src/study/claim/claim-report';
import type { Finding } from '../../../src/study/claim/verdict';
import { markdownText } from '../../../src/protocol/reports/markdown-text';
import { evaluated, started, spec } from './run-maker';
import { finishedTrial, makeSweep, setSweepStatus, type TrialMade } from './sweep-folder';

const RATE = 'training.learningRate';
const HASH = 'c0ffee123456'.padEnd(64, '7');
export const NAME = HASH.slice(0, 12);
export const LABELS = ['AuroRA r=2', 'LoRA r=2', 'LoRA r=8'];
export const SENTENCE = 'AuroRA r=2 is better than each of LoRA r=2, LoRA r=8 in accuracy on the test data.';

export const claim: Claim = {
  relation: 'better',
  methods: [{}, { 'adapter.method': 'lora' }, { 'adapter.method': 'lora', 'adapter.rank': 8 }],
  sides: [0, 1, 2].map((method) => ({ method, form: 'trained' as const })),
  of: 'each',
  metric: 'accuracy',
  by: 0.02,
  on: 'test',
  search: { parameters: { [RATE]: [0.001, 0.01] }, seeds: 1, extend: 0 },
  seed: 1,
};

const experiment: Partial<Experiment> = { ...spec };
delete experiment.name;
export const frozen: FrozenClaim = {
  version: 1,
  claim,
  experiment: experiment as FrozenClaim['experiment'],
  files: [
    { role: 'model', path: 'model.onnx', sha256: 'a'.repeat(64) },
    { role: 'test', path: 'test.jsonl', sha256: 'b'.repeat(64) },
    { role: 'tokenizer', path: 'vocab.txt', sha256: null },
  ],
  looks: [
    { seeds: 5, level: 0.005 },
    { seeds: 10, level: 0.02 },
  ],
};

const searched = claim.methods.map((_method, m) => ({
  label: LABELS[m],
  tried: [0.001, 0.01].map((rate, r) => ({ values: { [RATE]: rate }, mean: 0.7 + 0.02 * m + 0.05 * r })),
  chosen: { [RATE]: 0.01 },
}));

export const lookWith = (seeds: number, verdict: Finding): Look => ({
  seeds,
  level: seeds === 5 ? 0.005 : 0.02,
  verdict,
  results: [0.03, 0.015].map((difference, i) => ({
    seeds,
    level: 0.005,
    levels: { lower: 0.005, upper: 0.0025 },
    kind: 'crossed' as const,
    difference: verdict === 'refuted' ? -difference : difference,
    lower: difference - 0.04 / seeds ** 0.5 - (verdict === 'refuted' ? 2 * difference : 0),
    upper: difference + 0.04 / seeds ** 0.5 - (verdict === 'refuted' ? 2 * difference : 0),
    finding: i === 0 ? verdict : 'open',
  })),
});

export interface ClaimMade {
  /** The trials that have begun: of the search, and of the test. */
  until?: 'frozen' | 'search' | 'test' | 'closed';
  verdict?: Finding;
  status?: Partial<RunStatus>;
  progress?: Partial<ClaimProgress>;
  /** Without sweeps and runs. */
  isBare?: true;
}

const rates: Settings[] = [{ [RATE]: 0.001 }, { [RATE]: 0.01 }];
const running = (settings: Settings): TrialMade => ({
  settings,
  events: [started, evaluated(40, 0.6)],
  status: { step: 50 },
});

/** A claim's folder with its sweeps and their runs, made by the product's own writers. Returns the claim's folder. */
export function makeClaim(
  file: string,
  { until = 'closed', verdict = 'supported', status, progress, isBare }: ClaimMade = {},
): string {
  const folder = join(experimentClaims(file), NAME);
  mkdirSync(folder, { recursive: true });
  const write = (path: string, value: unknown) => writeAtomic(path, JSON.stringify(value));
  const paths = claimPaths(folder);
  write(paths.frozen, frozen);
  // On this machine, the process decides, however slow it is.
  setSweepStatus(folder, { ...thisProcess(), steps: 1, ...status });
  const told: ClaimProgress = {
    version: 1,
    sentence: SENTENCE,
    labels: LABELS,
    cost: {
      runs: LABELS.map((label) => ({ label, seconds: 90 })),
      least: { runs: 21, seconds: 1890 },
      most: { runs: 36, seconds: 3240 },
    },
    searched: until === 'test' || until === 'closed' ? searched : [],
    looks: until === 'test' ? [lookWith(5, 'open')] : [],
    ...progress,
  };
  write(paths.progress, told);
  if (until === 'frozen') return folder;
  const made = isBare ? BARE : makePhases(file, until);
  if (until !== 'closed') return folder;
  const certificate = certificateOf(verdict, made);
  write(paths.certificate, certificate);
  writeAtomic(paths.page, markdownText(claimReport(certificate)));
  setSweepStatus(folder, { state: 'finished', steps: 1, ...status });
  return folder;
}

const BARE = Array.from({ length: 15 }, (_, i) => `20250601T120000Z-0000000${i.toString(16)}`);

/** The sweeps with their runs. Returns the names of the runs of the test. */
function makePhases(file: string, until: ClaimMade['until']): string[] {
  makePhase(file, 'search', searchTrials(until === 'search'), until === 'search');
  if (until === 'search') return [];
  const test = makePhase(file, 'test', testTrials(until === 'test'), until === 'test');
  return readSweep(test)!.trials.flatMap(({ run }) => run ?? []);
}

const makePhase = (file: string, phase: string, trials: TrialMade[], isRunning: boolean): string =>
  makeSweep(
    file,
    {
      spec: { type: 'list', seed: 1, trials: trials.map((t) => t.settings) },
      trials,
      varied: ['adapter.method', 'adapter.rank', RATE, SEED],
      baseHash: `claim-${NAME}-${phase}`,
      room: { parallel: 1, threads: 1, engine: 'onnxruntime', device: 'cpu' },
    },
    isRunning ? thisProcess() : { state: 'finished' },
  );

/** Both rates of each method; while it runs, the last method has one trial in training and one to come. */
const searchTrials = (isRunning: boolean): TrialMade[] =>
  claim.methods.flatMap((method, m) =>
    rates.map((rate, r): TrialMade => {
      const settings = { ...method, ...rate, [SEED]: 1001 };
      if (isRunning && m === 2) return r === 0 ? running(settings) : { settings };
      return finishedTrial(settings, searched[m].tried[r].mean);
    }),
  );

/** Five seeds of each method; while it runs, the second look has begun. */
const testTrials = (isRunning: boolean): TrialMade[] =>
  Array.from({ length: isRunning ? 10 : 5 }, (_, i) => i + 1).flatMap((seed) =>
    claim.methods.map((method, m): TrialMade => {
      const settings = { ...method, [RATE]: 0.01, [SEED]: seed };
      if (seed > 6 || (seed === 6 && m > 0)) return { settings };
      return seed === 6 ? running(settings) : finishedTrial(settings, 0.8 + 0.01 * m + 0.001 * seed);
    }),
  );

export function certificateOf(verdict: Finding, runs: readonly string[]): Certificate {
  const tested = runs.map((run, i): CertifiedRun => {
    const [seed, method] = [1 + Math.floor(i / 3), i % 3];
    return {
      ...{ phase: 'test', method, values: { [RATE]: 0.01 }, seed, run, step: 120 },
      ...{ spec: 'c'.repeat(64), adapter: 'd'.repeat(64) },
      results: {
        trained: { value: 0.8 + 0.01 * method + 0.001 * seed, examples: 100, sha256: 'e'.repeat(64) },
      },
    };
  });
  const last = tested.at(-1);
  return {
    ...{ version: 1, sentence: SENTENCE, hash: HASH, frozen },
    seeds: { search: [1001], test: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] },
    methods: searched.map((method, m) => ({ ...method, parameters: 1000 * (m + 1) })),
    runs: verdict === 'open' ? tested.slice(0, -1) : tested,
    looks: verdict === 'open' ? [{ ...lookWith(5, 'open'), results: [] }] : [lookWith(5, verdict)],
    verdict,
    generalizes: verdict !== 'small',
    leftOut:
      verdict === 'open' && last
        ? [
            {
              ...{ phase: 'test', method: last.method, values: last.values, seed: last.seed, run: last.run },
              why: 'diverged',
            },
          ]
        : [],
  };
}
