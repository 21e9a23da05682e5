import { onProcessor, PROCESSOR } from '../../engine/devices';
import { openTask } from '../../engine/open';
import { placeName, type Place } from '../../engine/place';
import type { OpenedTask } from '../../engine/stepper';
import { AuroraError, errorFrom } from '../../base/errors';
import { DropoutMasks } from '../optimizer/dropout';
import { initialState } from '../checkpoint/state';
import { MicroBatches } from '../micro-batch/micro-batches';
import { FIRST_STEP, gradientStep } from '../loop/step';
import type { Task } from '../task/task';
import type { DeviceChoice } from './choose';
import type { Trial } from './fastest';
import { taskOptions } from './options';
import { firstStep } from './trial';

export interface OpenOptions {
  threads: number;
  /** For the step graphs; removed on dispose. */
  folder: string;
  /** Use the CPU if the device cannot be used. */
  fallBack: boolean;
  warn: (message: string) => void;
  /** The result of trying the device in another process, if that failed. */
  failed?: Trial;
}

export interface OpenedOn extends OpenedTask {
  choice: DeviceChoice;
}

/**
 * Opens a task on the chosen device. Any device but the CPU must first train the run's first step without changing
 * anything, since drivers report unsupported operations late.
 *
 * @throws AuroraError 'device' or 'memory' if it cannot be used and falling back is not allowed
 */
export async function openOnDevice(
  task: Task,
  choice: DeviceChoice,
  options: OpenOptions,
): Promise<OpenedOn> {
  const { place } = choice;
  try {
    if (options.failed) throw failure(options.failed);
    return { ...(await openProved(task, place, options)), choice };
  } catch (e) {
    if (onProcessor(place) || !options.fallBack || !isOfDevice(e)) throw e;
    const to = PROCESSOR[place.engine];
    options.warn(`${sentence(e.message)} The run continues with ${placeName(to)}.`);
    const opened = await openTask(
      task.model,
      task.infos,
      task.graph,
      options.folder,
      taskOptions(task, to, options.threads),
    );
    const tried = choice.tried.filter((t) => t.place.device !== place.device);
    return {
      ...opened,
      choice: { place: to, reason: 'fallback', tried: [{ place, problem: e.message }, ...tried] },
    };
  }
}

async function openProved(task: Task, place: Place, { threads, folder }: OpenOptions): Promise<OpenedTask> {
  const open = () => openTask(task.model, task.infos, task.graph, folder, taskOptions(task, place, threads));
  if (onProcessor(place)) return open();
  const opened = await open().catch((e: unknown) => {
    // An error in the model or the experiment occurs on every device.
    throw e instanceof AuroraError ? e : unusable(place, 'cannot be used', e);
  });
  try {
    await trainFirstStep(task, opened, place);
    return opened;
  } catch (e) {
    await opened.stepper.dispose().catch(() => undefined);
    throw isOfDevice(e) ? e : unusable(place, 'failed at the first step', e);
  }
}

function failure({ place, problem, known }: Trial): AuroraError {
  if (known) return errorFrom(known);
  return unusable(place, 'cannot be used', new Error(problem));
}

const isOfDevice = (e: unknown): e is AuroraError =>
  e instanceof AuroraError && (e.kind === 'device' || e.kind === 'memory');

const unusable = (place: Place, what: string, cause: unknown): AuroraError =>
  new AuroraError(
    'device',
    `${placeName(place)} ${what}: ${sentence((cause as Error).message)}`,
    'Train on the CPU: --device cpu, or the setting aurora.device.',
    { cause },
  );

/** If it does not fit as a whole, it is split as in the run, which then reports it. */
async function trainFirstStep(task: Task, { stepper, trainable }: OpenedTask, place: Place): Promise<void> {
  const { parameters } = initialState(task, trainable);
  const dropout = new DropoutMasks(task, task.spec.training.seed);
  const micro = new MicroBatches(task, stepper, place, () => undefined);
  await gradientStep(stepper, task, micro, firstStep(task), parameters, dropout, FIRST_STEP);
}

/** Runtime messages contain line breaks. */
function sentence(words: string): string {
  const text = words.replace(/\s+/g, ' ').replace(/ ?\.?$/, '');
  return `${text}.`;
}
