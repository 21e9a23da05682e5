import { onProcessor, type DeviceRequest } from '../../engine/devices';
import type { Task } from '../task/task';
import { chooseDevice, type ChooseOptions, type DeviceChoice } from './choose';
import { measureDevices } from './measure';
import { openOnDevice, type OpenedOn } from './open';

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
