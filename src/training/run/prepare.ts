import { join } from 'node:path';
import { modelSource } from '../../architectures/model-source';
import type { DeviceRequest } from '../../engine/devices';
import { CPU } from '../../engine/place';
import type { Experiment } from '../../experiment/experiment';
import { taskKind } from '../../tasks/registry';
import type { Drawer } from '../diffusion/drawer';
import { withFrozenPrefix, type Reuse } from '../frozen/reuse';
import { InputGuard } from '../inputs/guard';
import { seePipeline } from '../inputs/planned';
import { nextForm, taskInForm } from '../loop/adapter-form';
import { makePlan, type Plan } from '../loop/plan';
import { dataWarnings } from '../preflight/warnings';
import { loadEvaluationSets, setWarnings, type EvaluationData } from '../task/evaluation-data';
import { prepareTask, type Task } from '../task/task';
import { requireDrawingSteps } from '../diffusion/require-steps';
import { Encodings } from './encodings';
import type { OpenRun } from './open-run';
import { readWatch } from './reading';
import type { Start } from './start';

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
  const load = encodings.of(taskKind(spec.task.type).load);
  const whole = await prepareTask(spec, folder, { source, known: restored?.known, load, watch });
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
  const seconds = encodings.seconds + (performance.now() - began) / 1000;
  const plan = makePlan(spec.training, reuse.task.trainingSet.examples.length);
  const task = taskInForm(reuse.task, nextForm(plan, from));
  return { plan, whole, task, reuse, sets, drawer, seconds };
}

/** Values from the CPU do not match another device's, and mixed precision gives others for the same weights. */
const isExact = ({ training }: Experiment, { engine, device }: DeviceRequest): boolean =>
  engine === CPU.engine && device === CPU.device && training.precision === 'float32';
