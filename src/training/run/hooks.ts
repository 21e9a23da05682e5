import { join, relative } from 'node:path';
import { runPaths, stepName } from '../../runs/layout';
import { sharesOf } from '../alarms/activation-shares';
import { raise, writingWatch } from './conclude';
import { CHECKPOINT_VERSION, type Checkpoint, specHash } from '../checkpoint/checkpoint';
import { putBackAdapters, writeAdapter, type WhichAdapter } from '../checkpoint/adapter-files';
import { saveCheckpoint } from '../checkpoint/checkpoint-store';
import { PictureRecorder } from '../diffusion/picture-recorder';
import { DivergenceWatch } from '../loop/divergence';
import { copyOf } from '../optimizer/optimizer';
import { hasFiniteValues, requireFiniteParameters } from '../optimizer/finite';
import type { LoopHooks } from '../loop/loop';
import type { Parameters } from '../../engine/stepper';
import { skippedWarning } from '../optimizer/loss-scale';
import { pauses } from '../loop/training-plan';
import { SampleRecorder } from '../sample-recorder';
import { ActivationRecorder } from '../snapshot-recorder';
import type { RunContext } from './open-run';

/** Writes a training loop's progress to the run folder, in an order that is safe against kills. */
export async function makeHooks(context: RunContext): Promise<LoopHooks> {
  const { open, plan, state, scalars, guard, totals, alarms } = context;
  const { task, stepper, micro } = context.phase;
  const { run, listener, journal, pulse, options } = open;
  const watch = DivergenceWatch.of(task, run);
  const recorder = new ActivationRecorder(task, run);
  const isNew = state.step === 0;
  if (!isNew) await recorder.writeExamples();
  // The first step changes them before they are recorded.
  const initial = isNew && recorder.observes ? copyOf(state.parameters) : undefined;
  const observe = async (step: number, parameters: Parameters) => {
    const found = await recorder.record(step, stepper, micro, parameters);
    if (!found) return;
    journal.append({ kind: 'activations', step, path: found.path });
    if (plan.trainedForm(step) === 'dynamic')
      raise(open, alarms.observed(step, sharesOf(found.layers, task.adapters)));
  };
  const samples = new SampleRecorder(task, run, plan, state.step);
  const pictures =
    context.drawer && new PictureRecorder(task, run, context.drawer, plan.totalSteps, state.step);
  const written = new Set<WhichAdapter>();
  const keepAdapter = (which: WhichAdapter, step: number) => {
    writeAdapter(run, which, task, state.parameters, step);
    written.add(which);
  };
  return {
    stepped(record) {
      guard.check(record.step);
      open.step = record.step;
      totals.seconds += record.seconds;
      totals.examples += record.examples;
      scalars.append({ ...record, time: Date.now(), memory: process.memoryUsage.rss() });
      watch.stepped(record.loss);
      pulse.progress(record.step, plan.totalSteps);
      listener.stepped(record);
      raise(open, alarms.stepped(record));
    },
    skipped(step, lossScale) {
      const message = skippedWarning(step, lossScale);
      if (message) open.warn(message);
    },
    allocated: (step, ranks) => journal.append({ kind: 'rank-budget', step, ...ranks }),
    judge: (found) => watch.judge(hasFiniteValues(state.parameters) ? found : 'diverged'),
    diverged(event) {
      guard.check(event.step);
      totals.seconds += event.seconds;
      const form = plan.trainedForm(event.step) === 'static' && ({ form: 'static' } as const);
      journal.append({ kind: 'diverged-evaluation', ...event, ...form });
      listener.diverged(event);
      raise(open, alarms.evaluated(event.step, event.metrics, form ? form.form : undefined));
    },
    seen: (example, logits) => samples.seen(example, logits),
    // The evaluation between the two forms belongs to the first, and a resume would begin with the second.
    writing: (done, of) =>
      writingWatch(open, state.step !== plan.staticFrom || state.step === plan.totalSteps)(done, of),
    async evaluated(step, epoch, metrics, best, seconds) {
      guard.evaluated(step);
      totals.seconds += seconds;
      const form = plan.trainedForm(step) === 'static' && ({ form: 'static' } as const);
      journal.append({ kind: 'evaluation', step, epoch, metrics, best, seconds, ...form });
      await samples.evaluated(step, epoch);
      if (best) keepAdapter('best', step);
      listener.evaluated(step, epoch, metrics, best);
      raise(open, alarms.evaluated(step, metrics, form ? form.form : undefined));
    },
    async begun() {
      await recorder.writeExamples();
      if (initial) await observe(0, initial);
    },
    snapshot: (step) => observe(step, state.parameters),
    async checkpoint(step) {
      await guard.verified(step);
      requireFiniteParameters(step, state.parameters);
      keepAdapter('last', step);
      scalars.flush();
      saveCheckpoint(run, checkpointOf(context));
      journal.append({
        kind: 'checkpoint',
        step,
        path: relative(run, join(runPaths(run).checkpoints, stepName(step))),
      });
    },
    async pictures(step) {
      if (!pictures) return;
      const began = performance.now();
      const drawn = await pictures.after(
        step,
        { stepper, micro },
        state.parameters,
        () => open.stopRequested() !== undefined,
      );
      const seconds = (performance.now() - began) / 1000;
      totals.seconds += seconds;
      if (drawn.base + drawn.adapted > 0) listener.drew(step, drawn, seconds);
    },
    stopRequested() {
      // After everything that belongs to a step: a rescue elsewhere saves a complete one.
      open.held.require();
      putBackAdapters(run, task, state, written);
      return open.stopRequested() ?? (pauses(plan, state.step, options.pauseAt) ? 'rung' : undefined);
    },
    checkpointRequested: () => pulse.checkpointRequested(),
  };
}

/** Everything that changes during training, in its current state. */
export const checkpointOf = ({ open, phase, state, scalars, totals, env }: RunContext): Checkpoint => ({
  state: {
    version: CHECKPOINT_VERSION,
    step: state.step,
    examplesSeen: totals.examples,
    secondsSpent: totals.seconds,
    ...(state.unevaluated && { unevaluated: true }),
    best: state.best ? { ...state.best.metrics, step: state.best.step } : null,
    last: state.last ?? null,
    earlyStopping: state.stopping.state(),
    lossScale: state.lossScale?.state(),
    memory: phase.micro.known(),
    curve: scalars.sum(),
    specHash: specHash(open.spec),
    environment: { ...env },
  },
  parameters: state.parameters,
  optimizer: state.optimizer.state(),
  course: state.course?.state?.() ?? new Map(),
});
