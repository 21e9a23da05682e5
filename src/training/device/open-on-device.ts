import { AuroraError, errorFrom } from '../../base/errors';
import { type DeviceRequest, onProcessor, PROCESSOR } from '../../engine/devices';
import { openTask } from '../../engine/open-task';
import type { Place } from '../../engine/place';
import { placeName } from '../../protocol/device-words';
import type { OpenedTask } from '../../engine/stepper';
import { initialState } from '../checkpoint/state';
import { FIRST_STEP, gradientStep } from '../loop/gradient-step';
import { MicroBatches } from '../micro-batch/micro-batches';
import { DropoutMasks } from '../optimizer/dropout';
import type { Task } from '../task/task';
import { chooseDevice, type ChooseOptions, type DeviceChoice, type Trial } from './choose';
import { firstStep } from './device-trial';
import { measureDevices } from './measure-devices';
import { taskOptions } from './options';

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
async function openOnDevice(task: Task, choice: DeviceChoice, options: OpenOptions): Promise<OpenedOn> {
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
      taskOptions(task, to, options.threads, options.folder),
    );
    const tried = choice.tried.filter((t) => t.place.device !== place.device);
    return {
      ...opened,
      choice: { place: to, reason: 'fallback', tried: [{ place, problem: e.message }, ...tried] },
    };
  }
}

async function openProved(task: Task, place: Place, { threads, folder }: OpenOptions): Promise<OpenedTask> {
  const open = () =>
    openTask(task.model, task.infos, task.graph, folder, taskOptions(task, place, threads, folder));
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

export interface SettleOptions extends ChooseOptions {
  request: DeviceRequest;
  /** The device that a resumed run used. */
  before?: DeviceChoice;
  warn: (message: string) => void;
}

/** When the CPU can take over, a hanging driver is abandoned after this; otherwise there is no limit. */
const HANG_MS = 180_000;

/**
 * Chooses the device and opens the task on it. A device chosen only because it measured fastest always falls back:
 * nobody requested it by name. Undefined if stopped.
 *
 * @param prepared the whole task, whose first step is measured
 * @param task the same, or its head on features that are computed once
 */
export async function settle(
  prepared: Task,
  task: Task,
  { request, before, ...options }: SettleOptions,
): Promise<OpenedOn | undefined> {
  const choice = before ?? (await chooseDevice(request, prepared, options));
  if (!choice) return undefined;
  const fallBack = request.fallBack || choice.reason === 'fastest';
  // A driver can crash the process, and the run would end unexpectedly, so it is tried in a separate process. A device
  // that was measured, or has trained this run before, is known to work; with fallback enabled, a new driver is tried
  // too.
  const known = choice.reason === 'fastest' || (choice.reason === 'resumed' && !fallBack);
  const apart = !known && !onProcessor(choice.place);
  const limit = fallBack ? HANG_MS : undefined;
  const trials = apart
    ? await measureDevices(prepared, [choice.place], { ...options, once: true, limit })
    : [];
  if (!trials) return undefined;
  const [failed] = trials.filter(({ problem }) => problem !== undefined);
  const opened = await openOnDevice(task, choice, { ...options, fallBack, failed });
  opened.warnings?.forEach(options.warn);
  return opened;
}
