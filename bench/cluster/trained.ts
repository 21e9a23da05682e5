import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { uniform, Stream } from '../../src/base/random';
import type { Experiment } from '../../src/experiment/experiment';
import {
  SCALAR_COLUMNS,
  type EvaluationMetrics,
  type NewEvent,
  type RunStatus,
} from '../../src/protocol/events';
import { RESOURCE_COLUMNS } from '../../src/protocol/run-files/resources';
import type { InputFile } from '../../src/runs/inputs';
import { runPaths } from '../../src/runs/layout';
import type { TrialOf } from '../../src/runs/sweep/record';
import { EVERY, STEPS } from './experiment';

export interface Trained {
  run: string;
  trial: TrialOf;
  spec: Experiment;
  inputs: InputFile[];
  /** When it began, in ms since 1970. */
  began: number;
  /** The step to which it was trained. */
  steps: number;
  /** `rung`: it waits to be compared with the others. */
  state: 'finished' | 'rung';
}

/** A step takes half a second, so a run of 1,000 steps has as many samples of its machine. */
const STEP_MS = 500;
const CHECKPOINT_EVERY = 100;
const SHAPES = { labels: ['no', 'yes'], modules: ['encoder.layer.0.attention.self.query'] };

/**
 * A run's folder as a trainer on the node of a cluster leaves it. Nothing is flushed to the disk, so that ten thousand
 * are written in a minute. Only the number of files of checkpoints and adapters is real; their size depends on the
 * model.
 */
export function writeTrained(trained: Trained): void {
  const { run, trial, spec, inputs, steps, state } = trained;
  const paths = runPaths(run);
  const json = (path: string, value: unknown, indent?: number) =>
    write(path, `${JSON.stringify(value, null, indent)}\n`);
  json(paths.inputs, { version: 1, since: 0, files: inputs }, 2);
  json(paths.trial, trial);
  json(paths.spec, spec, 2);
  write(paths.events, journal(trained));
  json(paths.scalarColumns, { version: 1, columns: SCALAR_COLUMNS });
  write(paths.scalars, curve(STEPS).subarray(0, steps * SCALAR_COLUMNS.length * 8));
  json(paths.resourceColumns, { version: 1, columns: RESOURCE_COLUMNS });
  write(paths.resources, Buffer.alloc((steps / 2) * RESOURCE_COLUMNS.length * 8));
  json(paths.samples, samples(steps));
  for (let step = CHECKPOINT_EVERY; step <= steps; step += CHECKPOINT_EVERY)
    writeCheckpoint(join(paths.checkpoints, `step-${String(step).padStart(6, '0')}`), step);
  for (const which of ['best', 'last']) writeAdapter(join(paths.adapter, which));
  json(paths.status, statusOf(trained));
  if (state === 'finished') json(paths.result, resultOf(trained), 2);
}

const made = new Set<string>();

function write(path: string, content: string | Uint8Array): void {
  const folder = dirname(path);
  if (!made.has(folder)) mkdirSync(folder, { recursive: true });
  made.add(folder);
  writeFileSync(path, content);
}

/** The accuracy after a step: what a trial reaches depends on its number, and all improve. */
function metricsAt({ trial }: Trained, step: number): EvaluationMetrics {
  const reach = 0.6 + 0.35 * uniform(1, Stream.trials, trial.number, 0);
  const accuracy = 0.5 + (reach - 0.5) * (1 - Math.exp(-step / 250));
  return { loss: 1 - accuracy, accuracy, f1: accuracy, matthews: 2 * accuracy - 1, examples: 1000 };
}

function journal(trained: Trained): string {
  const { began, steps, state } = trained;
  const events: NewEvent[] = [
    { kind: 'requested', engine: 'onnxruntime', device: 'cpu', fallBack: false },
    {
      ...{
        kind: 'started',
        pid: 4711,
        steps: STEPS,
        epochs: 10,
        trainExamples: 1600,
        validationExamples: 1000,
      },
      ...{ ...SHAPES, trainable: 12_288, trainableHead: 770 },
    },
    { kind: 'device', step: 0, engine: 'onnxruntime', device: 'cpu', reason: 'chosen', tried: [] },
  ];
  for (let step = EVERY; step <= steps; step += EVERY) {
    const metrics = metricsAt(trained, step);
    events.push({ kind: 'evaluation', step, epoch: step / 100, metrics, best: true, seconds: 2.5 });
    if (step % CHECKPOINT_EVERY === 0)
      events.push({ kind: 'checkpoint', step, path: `checkpoints/step-${String(step).padStart(6, '0')}` });
  }
  if (state === 'rung') events.push({ kind: 'stopped', step: steps, reason: 'rung' });
  if (state === 'finished') {
    const last = metricsAt(trained, steps);
    events.push({ kind: 'finished', step: steps, best: { ...last, step: steps }, last, seconds: steps / 2 });
  }
  const w = nonceOf(trained).slice(0, 8);
  const line = (event: NewEvent, seq: number) => {
    const t = began + ('step' in event ? event.step * STEP_MS : 0);
    return `${JSON.stringify({ v: 1, seq, t, w, ...event })}\n`;
  };
  return events.map(line).join('');
}

const nonceOf = ({ trial }: Trained): string => trial.number.toString(16).padStart(16, '0');

function statusOf(trained: Trained): RunStatus {
  const { began, steps, state } = trained;
  return {
    ...{ pid: 4711, nonce: nonceOf(trained), host: `node${trained.trial.number % 64}`, boot: 'elsewhere' },
    state: state === 'rung' ? 'stopped' : state,
    step: steps,
    steps: STEPS,
    startedAt: began,
    heartbeat: began + steps * STEP_MS,
  };
}

function resultOf(trained: Trained) {
  const last = metricsAt(trained, trained.steps);
  return {
    ...{ method: 'aurora', outcome: 'finished', steps: trained.steps, seconds: trained.steps / 2 },
    examples: 16 * trained.steps,
    best: { ...last, step: trained.steps },
    last,
    baseline: { loss: 0.69, accuracy: 0.5, answer: 'no' },
    trained: { adapters: 12_288, head: 770, modules: 24, model: 110_000_000 },
    peakMemory: 2 ** 30 + 4096 * trained.trial.number,
    device: { engine: 'onnxruntime', device: 'cpu', reason: 'chosen', tried: [] },
    environment: {
      runtime: 'onnxruntime-node 1.30.0',
      node: '20.20.2',
      threads: 1,
      platform: 'linux-x64',
      cpu: 'EPYC',
    },
  };
}

const curves = new Map<number, Buffer>();

/** A curve for all trials: nothing that is measured depends on its values. */
function curve(steps: number): Buffer {
  const known = curves.get(steps);
  if (known) return known;
  const row = (i: number) => [
    i + 1,
    i * STEP_MS,
    Math.exp(-i / 250),
    1e-3,
    1,
    16 * (i + 1),
    2048 * (i + 1),
    0.5,
    2 ** 30,
  ];
  const values = Float64Array.from(Array.from({ length: steps }, (_, i) => row(i)).flat());
  const bytes = Buffer.from(values.buffer);
  curves.set(steps, bytes);
  return bytes;
}

function samples(steps: number) {
  const rows = Array.from({ length: 8 }, (_, i) => ({
    line: 100 * i + 1,
    text: 'A text of a few words.',
    truth: 'yes',
  }));
  const answers = rows.map(() => ({ said: 'yes', right: true, probability: 0.75, loss: 0.29 }));
  const evaluations = Array.from({ length: steps / EVERY }, (_, i) => ({
    step: EVERY * (i + 1),
    epoch: (EVERY * (i + 1)) / 100,
    answers,
  }));
  return { version: 1, answer: 'label', rows, evaluations };
}

const WEIGHTS = Buffer.alloc(4096);

function writeCheckpoint(folder: string, step: number): void {
  for (const name of ['adapter.safetensors', 'optimizer.safetensors']) write(join(folder, name), WEIGHTS);
  write(join(folder, 'state.json'), JSON.stringify({ version: 1, step, sha256: {}, checksum: '' }));
}

function writeAdapter(folder: string): void {
  write(join(folder, 'adapter_model.safetensors'), WEIGHTS);
  for (const name of ['adapter_config.json', 'aurora.json']) write(join(folder, name), '{}\n');
}
