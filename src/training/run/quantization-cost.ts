import { freemem } from 'node:os';
import { join } from 'node:path';
import { loadModelFrom } from '../../architectures/load';
import type { ModelSource } from '../../architectures/model-source';
import { AuroraError } from '../../base/errors';
import { bytes } from '../../base/number-text';
import { requireOwned } from '../../files/fence';
import { elementCount } from '../../graph/model';
import type { Experiment } from '../../experiment/experiment';
import type { Evaluated } from '../../protocol/events';
import { bestValues } from '../checkpoint/adapter-files';
import { measureTask } from '../measure/measure';
import { taskInForm } from '../loop/adapter-form';
import type { LoopEnd } from '../loop/loop';
import { availableMemory } from '../micro-batch/available';
import { adaptModel } from '../task/adapted-model';
import { makeTask, type Task } from '../task/task';
import type { RunContext } from './context';
import { Stopped, stopWatch } from './stopped';
import { measureUntrained } from './untrained';

/** The runtime may hold a weight twice: as it is stored, and in the order in which it multiplies. */
const COPIES = 2;

/**
 * After training with `model.quantize`, measures the cost of quantization on the validation data, and records it: the
 * losses of the model itself in few bits and in float32, or, if the run trained a head, without which the model has no
 * loss, those of the best adapter on both. Skipped with a warning if the model in float32 is too large for memory. Call
 * when the files of the model have been verified.
 *
 * @param whole the task as the experiment defines it
 * @returns the end of the run: as before, or by a request to stop during the measurement, which a resume then repeats
 */
export async function measureQuantization(context: RunContext, end: LoopEnd, whole: Task): Promise<LoopEnd> {
  const { open, guard, state } = context;
  const bits = open.spec.model.quantize;
  if ((end !== 'finished' && end !== 'early-stopping') || bits === undefined) return end;
  if (state.last === undefined || state.last === 'diverged') return end;
  requireOwned(open.run);
  // The device may not be able to hold another model. The files of this one have been verified.
  const { stepper } = open;
  open.stepper = undefined;
  await guard.end(() => stepper?.dispose());
  const needed = COPIES * float32Bytes(whole.source);
  const available = availableMemory() ?? freemem();
  if (needed > available) {
    open.warn(
      `The cost of model.quantize was not measured: ${open.spec.model.path} in float32 may need ${bytes(needed)}, and ${bytes(available)} are available.`,
    );
    return end;
  }
  try {
    await measure(context, whole, bits);
    return end;
  } catch (e) {
    if (e instanceof Stopped) return e.reason;
    if (!(e instanceof AuroraError) || e.kind === 'lost') throw e;
    // The run itself is complete.
    open.warn(`The cost of model.quantize was not measured: ${e.message}`);
    return end;
  }
}

/** The size of all its weights. */
const float32Bytes = (source: ModelSource): number =>
  [...loadModelFrom(source, 'stored').graph.initializers.values()].reduce(
    (n, t) => n + 4 * elementCount(t.dims),
    0,
  );

async function measure(context: RunContext, whole: Task, bits: 4 | 8): Promise<void> {
  const { open, state, totals } = context;
  const model = { ...open.spec.model };
  delete model.quantize;
  const full: Experiment = { ...open.spec, model };
  const best = state.best ?? { step: state.step, metrics: state.last as Exclude<Evaluated, 'diverged'> };
  const watch = stopWatch(open);
  const began = performance.now();
  open.listener.measuringQuantization();
  const of = whole.head ? ('adapter' as const) : ('model' as const);
  const [quantized, float32] = whole.head
    ? [best.metrics, await measureAdapter(context, whole, full, best.step, watch)]
    : [
        await measureUntrained(open.spec, watch, whole.source),
        await measureUntrained(full, watch, whole.source),
      ];
  if (float32 === undefined) return;
  const seconds = (performance.now() - began) / 1000;
  totals.seconds += seconds;
  const cost = { step: best.step, bits, of, quantized, float32 };
  open.journal.append({ kind: 'quantization-cost', ...cost, seconds });
  context.quantization = cost;
  open.listener.quantization(cost);
}

/** The best adapter on the model in float32; undefined if its values are gone. */
async function measureAdapter(
  { open, state, plan }: RunContext,
  whole: Task,
  full: Experiment,
  step: number,
  watch: () => void,
): Promise<Evaluated | undefined> {
  const parameters = step === state.step ? state.parameters : bestValues(open.run, step, whole.adapters);
  if (!parameters) {
    open.warn(`The best adapter, of step ${step}, is gone: the cost of model.quantize was not measured.`);
    return undefined;
  }
  const folder = open.graphs;
  const task = await makeTask(full, adaptModel(full, whole.source), whole.data, folder);
  const { metrics } = await measureTask(
    taskInForm(task, plan.trainedForm(step)),
    parameters,
    join(folder, 'float32'),
    watch,
  );
  return metrics;
}
