import { onProcessor } from '../../engine/devices/candidates';
import type { DeviceRequest } from '../../engine/devices/request';
import type { Task } from '../task/task';
import { chooseDevice, type ChooseOptions, type DeviceChoice } from './choose';
import { measureDevices } from './measure';
import { openOnDevice, type OpenedOn } from './open';

export interface SettleOptions extends ChooseOptions {
  request: DeviceRequest;
  /** Where a resumed run was. */
  before?: DeviceChoice;
  warn: (message: string) => void;
}

/** A driver that hangs is left after this where the processor takes over; else there is nothing to hurry for. */
const HANG_MS = 180_000;

/**
 * Finds the device and opens the task on it. What was only measured to be the fastest falls back in any case: nobody
 * has asked for it by name. Undefined where it was told to stop.
 *
 * @param prepared the whole task, whose first step is measured
 * @param task     the same, or its head on features that are computed once
 */
export async function settle(
  prepared: Task,
  task: Task,
  { request, before, ...options }: SettleOptions,
): Promise<OpenedOn | undefined> {
  const choice = before ?? (await chooseDevice(request, prepared, options));
  if (!choice) return undefined;
  const fallBack = request.fallBack || choice.reason === 'fastest';
  // A driver may take the process with it, and the run would be gone without a word: it is tried apart. What has been
  // measured, or has trained this run before, is known to work; but who wants to fall back wants it from a new driver too.
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
