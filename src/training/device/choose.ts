import { candidates, PROCESSOR, deviceFacts, type DeviceRequest } from '../../engine/devices';
import type { Place } from '../../engine/place';
import type { DeviceEvent } from '../../protocol/events';
import type { Task } from '../task/task';
import { fastest, type Trial } from './fastest';
import { measureDevices, type MeasureOptions } from './measure';

/** The device a run uses, and why. */
export interface DeviceChoice {
  place: Place;
  reason: DeviceEvent['reason'];
  tried: Trial[];
}

export interface ChooseOptions extends MeasureOptions {
  /** Called with the places that are about to be measured. */
  measuring: (places: readonly Place[]) => void | Promise<void>;
}

/** The requested device; with "auto", the fastest by measured steps. Undefined if stopped. */
export async function chooseDevice(
  request: DeviceRequest,
  task: Task,
  options: ChooseOptions,
): Promise<DeviceChoice | undefined> {
  const { engine, device } = request;
  if (typeof device === 'string' && device !== 'auto')
    return { place: { engine, device } as Place, reason: 'chosen', tried: [] };
  if (options.onFeatures)
    return {
      place: PROCESSOR[engine],
      reason: 'only',
      tried: others(engine, 'a head on precomputed features is too small to benefit'),
    };
  const all = device === 'auto' ? candidates(engine, deviceFacts()) : device.map((place) => ({ place }));
  const places = all.filter((c) => !('problem' in c && c.problem)).map((c) => c.place);
  const left = all.filter((c) => !places.includes(c.place));
  if (places.length === 1) return { place: places[0], reason: 'only', tried: left };
  await options.measuring(places);
  const trials = await measureDevices(task, places, options);
  if (!trials) return undefined;
  const best = fastest(trials);
  return { place: best ?? PROCESSOR[engine], reason: best ? 'fastest' : 'only', tried: [...trials, ...left] };
}

const others = (engine: Place['engine'], problem: string): Trial[] =>
  candidates(engine, deviceFacts())
    .filter(({ place }) => place.device !== PROCESSOR[engine].device)
    .map((c) => ({ ...c, problem: c.problem ?? problem }));

export const deviceFields = ({ place, reason, tried }: DeviceChoice): Omit<DeviceEvent, 'kind' | 'step'> => ({
  ...place,
  reason,
  tried: tried.map(({ place: of, secondsPerStep, problem, missing }) => ({
    ...{ ...of, secondsPerStep, problem },
    missing,
  })),
});
