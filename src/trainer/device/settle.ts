import { onProcessor } from '../../engine/devices/candidates';
import type { DeviceRequest } from '../../engine/devices/request';
import type { Task } from '../task';
import { chooseDevice, type ChooseOptions, type DeviceChoice } from './choose';
import { measureDevices } from './measure';
import { openOnDevice, type OpenedOn } from './open';

export interface SettleOptions extends ChooseOptions {
  request: DeviceRequest;
  /** Where a resumed run was. */
  before?: DeviceChoice;
  warn: (message: string) => void;
}

/** A driver that hangs is left after this; compiling for a large model takes less. */
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
  // A driver may take the process with it. Whoever wants to fall back wants that from a crash, too: it is tried apart.
  const apart =
    request.fallBack && choice.reason !== 'fastest' && !onProcessor(choice.place) && !options.onFeatures;
  const trials = apart ? await measureDevices(prepared, [choice.place], { ...options, limit: HANG_MS }) : [];
  if (!trials) return undefined;
  return openOnDevice(task, choice, { ...options, fallBack, problem: trials[0]?.problem });
}
