import { join, relative } from 'node:path';
import type { Place } from '../../engine/place';
import type { Stepper } from '../../engine/stepper';
import type { Journal } from '../../runs/journal/journal';
import { runPaths, stepName } from '../../runs/layout';
import type { HeldFolder } from '../../runs/held';
import type { ScalarsWriter } from '../../runs/curve/scalars';
import type { DivergedEvaluation, EvaluationMetrics } from '../../protocol/events';
import type { Experiment } from '../../experiment/experiment';
import { CHECKPOINT_VERSION, type Checkpoint } from '../checkpoint/checkpoint';
import { putBackAdapters, writeAdapter, type WhichAdapter } from '../checkpoint/adapter-files';
import { saveCheckpoint } from '../checkpoint/store';
import type { DeviceChoice } from '../device/choose';
import { DivergenceWatch } from '../loop/divergence';
import type { Environment } from '../process/environment';
import { hasFiniteValues, requireFiniteParameters } from '../optimizer/finite';
import type { InputGuard } from '../inputs/guard';
import type { LoopHooks, StepRecord, TrainingState } from '../loop/loop';
import { skippedWarning } from '../optimizer/loss-scale';
import type { MicroBatches } from '../micro-batch/micro-batches';
import { pauses, type PausePoint } from '../loop/pause';
import type { Plan } from '../loop/plan';
import type { Pulse } from '../process/pulse';
import { ActivationRecorder } from '../snapshots/recorder';
import { specHash } from '../checkpoint/spec-hash';
import type { Task } from '../task/task';

/** What a person at the terminal wants to see; everything is in the run folder too. */
export interface TrainListener {
  /** What is about to be measured for `--device auto`. */
  measuring(places: readonly Place[]): void;
  device(choice: DeviceChoice): void;
  prepared(task: Task, plan: Plan, fromStep: number): void;
  stepped(record: StepRecord): void;
  evaluated(step: number, epoch: number, metrics: EvaluationMetrics, best: boolean): void;
  diverged(event: Omit<DivergedEvaluation, 'kind' | 'form'>): void;
  /** From here on the static form is trained. */
  staticForm(step: number): void;
  warning(message: string): void;
}

export interface Running {
  run: string;
  listener: TrainListener;
  interrupted: () => boolean;
  pauseAt: PausePoint | undefined;
  task: Task;
  stepper: Stepper;
  micro: MicroBatches;
  plan: Plan;
  state: TrainingState;
  journal: Journal;
  scalars: ScalarsWriter;
  pulse: Pulse;
  guard: InputGuard;
  env: Environment;
  totals: { seconds: number; examples: number };
  at: (step: number) => void;
  held: HeldFolder;
}

/** What a training loop's progress leaves in the run folder, in the order that a kill cannot hurt. */
export function makeHooks({
  run,
  listener,
  interrupted,
  pauseAt,
  task,
  stepper,
  micro,
  plan,
  state,
  journal,
  scalars,
  pulse,
  guard,
  env,
  totals,
  at,
  held,
}: Running): LoopHooks {
  const { spec } = task;
  const watch = DivergenceWatch.of(task, run);
  const recorder = new ActivationRecorder(task, run);
  recorder.writeExamples();
  const written = new Set<WhichAdapter>();
  const keepAdapter = (which: WhichAdapter, step: number) => {
    writeAdapter(run, which, task, state.parameters, step);
    written.add(which);
  };
  return {
    stepped(record) {
      guard.check(record.step);
      at(record.step);
      totals.seconds += record.seconds;
      totals.examples += record.examples;
      scalars.append({ ...record, time: Date.now(), memory: process.memoryUsage.rss() });
      watch.stepped(record.loss);
      pulse.progress(record.step, plan.totalSteps);
      listener.stepped(record);
    },
    skipped(step, lossScale) {
      const message = skippedWarning(step, lossScale);
      if (!message) return;
      journal.append({ kind: 'warning', message });
      listener.warning(message);
    },
    judge: (found) => watch.judge(hasFiniteValues(state.parameters) ? found : 'diverged'),
    diverged(event) {
      guard.check(event.step);
      totals.seconds += event.seconds;
      const form = plan.trainedForm(event.step) === 'static' && ({ form: 'static' } as const);
      journal.append({ kind: 'diverged-evaluation', ...event, ...form });
      listener.diverged(event);
    },
    evaluated(step, epoch, metrics, best, seconds) {
      guard.evaluated(step);
      totals.seconds += seconds;
      const form = plan.trainedForm(step) === 'static' && ({ form: 'static' } as const);
      journal.append({ kind: 'evaluation', step, epoch, metrics, best, seconds, ...form });
      if (best) keepAdapter('best', step);
      listener.evaluated(step, epoch, metrics, best);
    },
    async snapshot(step) {
      const path = await recorder.record(step, stepper, micro, state.parameters);
      if (path) journal.append({ kind: 'activations', step, path });
    },
    async checkpoint(step) {
      await guard.verified(step);
      requireFiniteParameters(step, state.parameters);
      keepAdapter('last', step);
      scalars.flush();
      saveCheckpoint(run, checkpointOf({ state, micro, scalars, env, totals, spec }));
      journal.append({
        kind: 'checkpoint',
        step,
        path: relative(run, join(runPaths(run).checkpoints, stepName(step))),
      });
    },
    stopRequested() {
      // After all that belongs to a step: what is saved elsewhere is a whole one.
      held.require();
      putBackAdapters(run, task, state, written);
      if (interrupted()) return 'requested';
      return pulse.stopRequested() ?? (pauses(plan, state.step, pauseAt) ? 'rung' : undefined);
    },
    checkpointRequested: () => pulse.checkpointRequested(),
  };
}

/** Everything that changes while a run trains, as it is now. */
export const checkpointOf = ({
  state,
  micro,
  scalars,
  env,
  totals,
  spec,
}: Pick<Running, 'state' | 'micro' | 'scalars' | 'env' | 'totals'> & { spec: Experiment }): Checkpoint => ({
  state: {
    version: CHECKPOINT_VERSION,
    step: state.step,
    examplesSeen: totals.examples,
    secondsSpent: totals.seconds,
    best: state.best ? { ...state.best.metrics, step: state.best.step } : null,
    last: state.last ?? null,
    earlyStopping: state.stopping.state(),
    lossScale: state.lossScale?.state(),
    memory: micro.known(),
    curve: scalars.sum(),
    specHash: specHash(spec),
    environment: { ...env },
  },
  parameters: state.parameters,
  optimizer: state.optimizer.state(),
});
