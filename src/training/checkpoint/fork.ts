import { metricValue } from '../../experiment/metrics';
import { copyFileSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { diskError, writeAtomic } from '../../files/atomic';
import { writeJournal, type JournalLine } from '../../runs/journal/journal';
import { createRun, runPaths, stepName, stepOfName } from '../../runs/layout';
import { writeSpec } from '../../runs/stored-spec';
import { inputsUpTo, readInputs, writeInputs } from '../../runs/inputs';
import { readRunSummary, type RunSummary } from '../../runs/run-summary';
import { ScalarsWriter } from '../../runs/curve/scalars';
import { copyResources } from '../../runs/resources/resources';
import { picturesIndex, readPictures, readSamples } from '../../runs/samples-and-pictures';
import { checkpointsHint } from '../../runs/sweep/checkpoints-hint';
import { type SettingChange, forkedExperiment } from '../../runs/experiment/setting-changes';
import { AuroraError } from '../../base/errors';
import { batched, type RunEvent } from '../../protocol/events';
import type { Experiment } from '../../experiment/experiment';
import { isAnyEvaluation, type AnyEvaluation, type Evaluation } from '../../protocol/evaluations';
import { type Checkpoint, type CheckpointState, specHash } from './checkpoint';
import { checkpointSteps, readCheckpoint, saveCheckpoint } from './checkpoint-store';
import { EarlyStopping, NOTHING_YET } from '../loop/early-stopping';
import { makePlan } from '../loop/training-plan';

export interface ForkRequest {
  /** The run to fork. */
  from: string;
  /** A step with a checkpoint in that run, or 0 for its beginning. */
  step: number;
  /** "key=value" with dotted keys. */
  overrides: readonly string[];
  /** The new run's folder if it exists already; otherwise one is created beside `from`. */
  into?: string;
}

export interface Fork {
  run: string;
  spec: Experiment;
  /** The parts that could not be kept, in full sentences. */
  warnings: string[];
}

/**
 * Creates a run that starts from another run's checkpoint, or from its beginning, with changed settings and that run's
 * history up to that step; resuming it gives the counterfactual. With no changes, it reproduces the other run bit for bit.
 *
 * @throws AuroraError 'run' if the checkpoint does not exist or nothing is left to train, 'usage' for a setting that
 *   cannot be changed
 */
export function makeFork({ from, step, overrides, into }: ForkRequest): Fork {
  const source = readRunSummary(from);
  const { spec, changed } = forkedExperiment(source.spec, overrides, runPaths(from).spec);
  // A run starts from its seed; an imported one has a checkpoint of step 0.
  const fromStart = step === 0 && !checkpointSteps(from).includes(0);
  const checkpoint = fromStart ? undefined : checkpointAt(from, step);
  const started = startedEvent(source, spec, step);
  const run = into ?? createRun(dirname(from));
  const history = source.events.filter((e) => 'step' in e && e.step <= step);
  const evaluations = history.filter(isAnyEvaluation);
  const { best: bestOfAll, bests } = replay(spec, evaluations);
  const bestStep = bestOfAll?.step;
  const best = bestStep === undefined || bestStep === step ? undefined : bestCheckpoint(from, bestStep);
  const lost = bestStep !== undefined && bestStep !== step && !best;
  const kept = [best, checkpoint].filter((c) => c !== undefined);
  for (const c of kept) saveCheckpoint(run, withoutLimits(asTheForks(c, spec, evaluations, lost), changed));
  if (checkpoint) {
    copyScalars(from, run, checkpoint.state);
    copySnapshots(from, run, step);
    copyResources(from, run, step);
    copySamples(from, run, step);
    copyPictures(from, run, step);
  }
  copyInputs(from, run, step);
  const saved = kept.map((c) => c.state.step);
  const forked = { kind: 'forked', fromRun: source.id, fromStep: step, changed } as const;
  writeJournal(run, [
    { event: forked },
    started,
    ...history
      .filter(
        (e) =>
          isAnyEvaluation(e) ||
          e.kind === 'alarm' ||
          e.kind === 'rank-budget' ||
          // Its beginning takes the first snapshot again, and spreads the ranks.
          ((e.kind === 'activations' || e.kind === 'ranks') && !fromStart) ||
          e.kind === 'device' ||
          e.kind === 'inputs-accepted' ||
          (e.kind === 'checkpoint' && saved.includes(e.step)),
      )
      // By the fork's metric, like its own evaluations; none if the fork has to find its best again.
      .map((e) => copied(e.kind === 'evaluation' ? { ...e, best: !lost && bests.has(e) } : e)),
  ]);
  // Written last: without it, a partial copy is not taken for a run.
  writeSpec(run, spec);
  const warnings = lost
    ? [
        `The checkpoint of the best evaluation before step ${step}, at step ${bestStep}, is gone: the fork determines its best evaluation from step ${step} on.`,
      ]
    : [];
  return { run, spec, warnings };
}

function checkpointAt(run: string, step: number): Checkpoint {
  const { checkpoints } = runPaths(run);
  const steps = checkpointSteps(run);
  if (!steps.includes(step))
    throw new AuroraError(
      'run',
      `${run} has no checkpoint of step ${step}.`,
      steps.length
        ? `It has ${steps.length > 1 ? 'checkpoints of steps' : 'only the checkpoint of step'} ${steps.join(', ')}.`
        : (checkpointsHint(run) ?? 'It has no checkpoints: it ended before the first one.'),
    );
  return readCheckpoint(join(checkpoints, stepName(step)));
}

/** Undefined if missing or damaged. */
function bestCheckpoint(run: string, step: number): Checkpoint | undefined {
  try {
    return readCheckpoint(join(runPaths(run).checkpoints, stepName(step)));
  } catch (e) {
    if (e instanceof AuroraError) return undefined;
    throw e;
  }
}

/** The checkpoint, with its statements about the run adapted to the fork. */
function asTheForks(c: Checkpoint, spec: Experiment, evaluations: readonly AnyEvaluation[], lost: boolean) {
  const { stopping, best } = replay(
    spec,
    evaluations.filter((e) => e.step <= c.state.step),
  );
  const state: CheckpointState = {
    ...c.state,
    best: best && !lost ? { ...best.metrics, step: best.step } : null,
    earlyStopping: lost ? { ...stopping, best: null, reference: null } : stopping,
    specHash: specHash(spec),
  };
  return { ...c, state };
}

/** The limits were found with other memory needs if the fork changes those. */
function withoutLimits(c: Checkpoint, changed: readonly SettingChange[]): Checkpoint {
  const needs = ['training.gradientCheckpointing', 'training.precision'];
  return changed.some(({ key }) => needs.includes(key))
    ? { ...c, state: { ...c.state, memory: undefined } }
    : c;
}

/** Judges the evaluations under the fork's own metric and rule, either of which may have changed. */
function replay(spec: Experiment, evaluations: readonly AnyEvaluation[]) {
  const { metric, earlyStopping } = spec.training;
  const stopping = new EarlyStopping(metric, earlyStopping);
  const bests = new Set<AnyEvaluation>();
  let best: Evaluation | undefined;
  let form: AnyEvaluation['form'];
  for (const e of evaluations) {
    if (e.form !== form) {
      // The static form's best is tracked separately.
      stopping.load(NOTHING_YET);
      best = undefined;
      form = e.form;
    }
    if (e.kind === 'diverged-evaluation') stopping.update('diverged');
    else if (stopping.update(metricValue(e.metrics, metric)).best) bests.add((best = e));
  }
  return { stopping: stopping.state(), best, bests };
}

const copied = (event: RunEvent): JournalLine => ({ event, t: event.t });

/** The other run's `started` event, with the number of steps that the fork will take. */
function startedEvent(source: RunSummary, spec: Experiment, step: number): JournalLine {
  const started = source.events.find((e) => e.kind === 'started');
  if (!started)
    throw new AuroraError(
      'run',
      `${source.folder}/events.jsonl has no record of the run's start.`,
      'The file was changed or damaged after it was written; restore it from a copy.',
    );
  const { totalSteps, epochs, staticFrom } = makePlan(spec.training, batched(started));
  const before = makePlan(source.spec.training, batched(started));
  if (step >= totalSteps)
    throw new AuroraError(
      'run',
      `The fork would have ${totalSteps} steps and begin at step ${step}, so nothing is left to train.`,
      `Begin at an earlier checkpoint, or raise training.${spec.training.maxSteps === undefined ? 'epochs' : 'maxSteps'} with --set.`,
    );
  if (Math.min(step, staticFrom) !== Math.min(step, before.staticFrom))
    throw new AuroraError(
      'run',
      `The fork would train the static form from step ${staticFrom} on, but in the checkpoint of step ${step}, ${step > before.staticFrom ? `it has been trained since step ${before.staticFrom}` : 'its training has not started'}.`,
      `Begin at an earlier checkpoint, or change training.${spec.training.maxSteps === undefined ? 'epochs' : 'maxSteps'} and training.staticEpochs together.`,
    );
  return copied({ ...started, steps: totalSteps, epochs });
}

function copyScalars(from: string, run: string, { step, curve }: CheckpointState): void {
  for (const name of ['scalars', 'scalarColumns'] as const) copy(runPaths(from)[name], runPaths(run)[name]);
  ScalarsWriter.open(run, step, curve).close();
}

/** Up to its starting step, the fork was trained on its source's inputs. */
function copyInputs(from: string, run: string, step: number): void {
  const record = readInputs(from);
  const upTo = record && inputsUpTo(record, step);
  if (upTo) writeInputs(run, upTo);
}

function copySnapshots(from: string, run: string, step: number): void {
  const { activations } = runPaths(from);
  if (!existsSync(activations)) return;
  const target = runPaths(run).activations;
  mkdirSync(target, { recursive: true });
  for (const name of readdirSync(activations)) {
    const at = stepOfName(basename(name, '.bin'));
    if (name === 'examples.json' || (at !== undefined && at <= step))
      copy(join(activations, name), join(target, name));
  }
}

/** The evaluations that the fork has in common with its source. */
function copySamples(from: string, run: string, step: number): void {
  const samples = readSamples(from);
  if (!samples) return;
  const evaluations = samples.evaluations.filter((e) => e.step <= step);
  writeAtomic(runPaths(run).samples, `${JSON.stringify({ ...samples, evaluations })}\n`, run);
}

/** Copies the pictures that were drawn up to the step. */
function copyPictures(from: string, run: string, step: number): void {
  const found = readPictures(from);
  if (!found) return;
  const evaluations = found.evaluations.filter((e) => e.step <= step);
  const [source, target] = [runPaths(from).pictures, runPaths(run).pictures];
  mkdirSync(target, { recursive: true });
  for (const file of [...found.base, ...evaluations.flatMap(({ files }) => files)])
    if (existsSync(join(source, file))) copy(join(source, file), join(target, file));
  writeAtomic(picturesIndex(run), `${JSON.stringify({ ...found, evaluations })}\n`, run);
}

function copy(from: string, to: string): void {
  try {
    copyFileSync(from, to);
  } catch (e) {
    throw diskError(to, e);
  }
}
