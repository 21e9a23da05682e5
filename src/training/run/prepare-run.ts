import { join } from 'node:path';
import { modelSource } from '../../architectures/model-source';
import type { DeviceRequest } from '../../engine/devices';
import { Turns } from '../../data/turns';
import { CPU } from '../../engine/place';
import type { Experiment } from '../../experiment/experiment';
import type { RunEvent } from '../../protocol/events';
import { INITIALIZATION_NAMES, type StartingSpec } from '../../experiment/methods';
import { preparingRead } from '../../protocol/preparing';
import { runPaths } from '../../runs/layout';
import { readRunSummary } from '../../runs/run-summary';
import { taskKind } from '../../tasks/task-registry';
import { type LoadData, modelInputs, type TaskData } from '../../tasks/task-data';
import { restore, type Restored } from '../checkpoint/resume';
import { requestedEvent, resumedRequest } from '../device/choose';
import { type Drawer, openDrawer } from '../diffusion/drawer';
import { encodeData, isPictureData } from '../diffusion/encode-data';
import type { EncodeOptions } from '../diffusion/encoded';
import { requireDrawingSteps } from '../diffusion/schedule';
import { type Reuse, withFrozenPrefix } from '../frozen/reuse';
import { InputGuard } from '../inputs/input-guard';
import { seePipeline } from '../inputs/planned';
import { nextForm, taskInForm } from '../loop/adapter-form';
import { makePlan, type Plan } from '../loop/training-plan';
import { dataWarnings } from '../preflight/data-lines';
import { removeLeftovers } from '../process/leftovers';
import { computeStart, needsStart, rankedTask } from '../start/compute-start';
import type { BaseModel } from '../task/adapted-model';
import { type EvaluationData, loadEvaluationSets, setWarnings } from '../task/evaluation-data';
import { type LoadFor, prepareTask, type Task } from '../task/task';
import { readWatch, StoppedReading } from './conclude';
import type { OpenRun } from './open-run';

/** The prepared task, before a device is chosen. */
export interface Prepared {
  guard: InputGuard;
  plan: Plan;
  /** The task as the experiment defines it. */
  whole: Task;
  /** The part that is computed at each step, in the form that is trained first. */
  task: Task;
  reuse: Reuse;
  /** The sets that the best adapter is scored on at the end. */
  sets: EvaluationData[];
  /** Draws pictures during training, if the experiment asks for them. */
  drawer: Drawer | undefined;
  /** Seconds spent on the part that is computed once. */
  seconds: number;
}

/** Reads model and data, guarded from before the first read, and computes the constant part of all steps. */
export async function prepare(open: OpenRun, start: Start): Promise<Prepared> {
  const { run, spec, options } = open;
  const { hashWorker: worker, acceptedInputs: accepted } = options;
  const guard = await InputGuard.begin({ run, spec, from: start.from, accepted, worker }, open.graphs);
  return { guard, ...(await guard.reading(() => read(open, start))) };
}

async function read(open: OpenRun, { from, request, restored }: Start): Promise<Omit<Prepared, 'guard'>> {
  const { run, spec, options, warn } = open;
  const folder = open.graphs;
  const watch = readWatch(open);
  open.pulse.preparing({ doing: 'model' });
  const source = modelSource(spec.model.path);
  if (source.kind === 'pipeline') seePipeline(source);
  requireDrawingSteps(spec, source);
  const encodings = new Encodings(open);
  const load = encodings.of(taskKind(spec.task).load);
  const asked = await prepareTask(spec, folder, { source, known: restored?.known, load, watch });
  const startBegan = performance.now();
  const whole = await withInitialValues(open, asked, restored);
  const startSeconds = (performance.now() - startBegan) / 1000;
  const sets = await loadEvaluationSets(spec, whole.model, whole.data, watch);
  for (const { data } of sets) await encodings.encode(whole, data);
  const drawer = await encodings.drawer(whole);
  const warnings = [...whole.warnings, ...sets.flatMap(setWarnings), ...dataWarnings(spec, whole.data, sets)];
  warnings.forEach(warn);
  const began = performance.now();
  const { threads, frozen } = options;
  const keep = frozen ?? join(run, 'frozen');
  const layers = frozen !== undefined && isExact(spec, request);
  const reuse = await withFrozenPrefix(whole, { folder, keep, threads, warn, layers });
  const seconds = encodings.seconds + startSeconds + (performance.now() - began) / 1000;
  const plan = makePlan(spec.training, reuse.task.trainingSet.examples.length);
  const task = taskInForm(reuse.task, nextForm(plan, from));
  return { plan, whole, task, reuse, sets, drawer, seconds };
}

/**
 * The task with initial values that are computed from the weights or from data. A run that is resumed from a checkpoint has
 * them there, and the ranks of its layers in its journal.
 *
 * @throws StoppedReading
 */
async function withInitialValues(open: OpenRun, task: Task, restored: Restored | undefined): Promise<Task> {
  if (!needsStart(task.spec)) return task;
  if (restored?.checkpoint) return restored.ranks ? rankedTask(task, restored.ranks) : task;
  const { threads } = open.options;
  const { initialization } = task.spec.adapter as StartingSpec;
  const name = INITIALIZATION_NAMES[initialization];
  const turns = new Turns();
  const say = (share: number) => {
    open.listener.starting(name, share);
    open.pulse.preparing({ doing: 'starting', initialization: name, percent: Math.floor(100 * share) });
  };
  const { task: started, ranks } = await computeStart(task, {
    folder: open.graphs,
    threads,
    async progress(share) {
      say(share);
      if (turns.due) await turns.take();
      const reason = open.stopRequested();
      if (reason !== undefined) throw new StoppedReading(reason);
    },
  });
  say(1);
  if (ranks) {
    open.journal.append({ kind: 'ranks', step: 0, ranks });
    open.listener.ranks(ranks);
  }
  return started;
}

/** Values from the CPU do not match another device's, and mixed precision gives others for the same weights. */
const isExact = ({ training }: Experiment, { engine, device }: DeviceRequest): boolean =>
  engine === CPU.engine && device === CPU.device && training.precision === 'float32';

/** The point where this process starts a run. */
export interface Start {
  /** The step at which it starts. */
  from: number;
  request: DeviceRequest;
  /** The journal of a resumed run before the resume. */
  before: readonly RunEvent[] | undefined;
  /** Undefined for a new run. */
  restored: Restored | undefined;
}

export function restoreStart(open: OpenRun): Start {
  const { run, spec, journal, options, warn } = open;
  const before = options.resume ? readRunSummary(run).events : undefined;
  const { given, fallBack } = options.device;
  const request = before ? resumedRequest(before, options.device) : options.device;
  if (!before || given.engine || given.device || fallBack) journal.append(requestedEvent(request));
  const restored = options.resume ? restore(run, spec, warn) : undefined;
  const from = restored?.checkpoint?.state.step ?? 0;
  open.step = from;
  open.held.require();
  removeLeftovers(run);
  return { from, request, before, restored };
}

/**
 * The results of a pipeline's encoders for a run's images and prompts: kept in the run, or by its sweep for all trials.
 */
class Encodings {
  private readonly options: EncodeOptions;
  /** Spent so far. */
  seconds = 0;

  constructor(private readonly open: OpenRun) {
    const { run, options } = open;
    this.options = {
      keep: options.frozen ?? runPaths(run).encoded,
      folder: open.graphs,
      threads: options.threads,
      progress(done, of) {
        open.listener.encoding(done, of);
        open.pulse.preparing(preparingRead('images and prompts', done, of));
      },
      stopped: () => open.stopRequested() !== undefined,
    };
  }

  /** @throws StoppedReading */
  async encode(base: BaseModel, data: TaskData): Promise<void> {
    const began = performance.now();
    const isDone = await encodeData(this.open.spec, base, data, this.options);
    this.seconds += (performance.now() - began) / 1000;
    if (!isDone) throw new StoppedReading(this.open.stopRequested() ?? 'requested');
  }

  /** Reads data and encodes them. @throws StoppedReading */
  of(load: LoadData): LoadFor {
    return async (spec, base, known, watch) => {
      const data = await load(spec, base.model, known, watch);
      await this.encode(base, data);
      return data;
    };
  }

  /** Draws pictures during training; their prompts are encoded now. Undefined if there are none to draw. */
  async drawer({ source, model, data }: Task): Promise<Drawer | undefined> {
    const { pictures } = this.open.spec.training;
    if (!pictures || !isPictureData(data)) return undefined;
    const drawer = openDrawer(source, modelInputs(model), this.options);
    const { prompts, negativePrompt: negative } = pictures;
    await drawer.prepare(prompts.map((text) => ({ text, negative })));
    return drawer;
  }
}
