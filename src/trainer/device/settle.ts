import type { DeviceRequest } from '../../engine/devices/request';
import type { Task } from '../task';
import { chooseDevice, type ChooseOptions, type DeviceChoice } from './choose';
import { openOnDevice, type OpenedOn } from './open';

export interface SettleOptions extends ChooseOptions {
  request: DeviceRequest;
  /** Where a resumed run was. */
  before?: DeviceChoice;
  warn: (message: string) => void;
}

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
  return openOnDevice(task, choice, { ...options, fallBack });
}
