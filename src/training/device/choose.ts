import { candidates, deviceFacts, type DeviceRequest, onProcessor, PROCESSOR } from '../../engine/devices';
import { type EngineName, ENGINES, type Place } from '../../engine/place';
import type { DeviceEvent, RequestedEvent, RunEvent } from '../../protocol/events';
import type { Task } from '../task/task';
import { measureDevices, type MeasureOptions } from './measure-devices';
import type { TrialProblem } from './device-trial';

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

/** The device a run used last; undefined if it has not started. */
export function recordedPlace(events: readonly RunEvent[]): Place | undefined {
  const last = events.findLast((e) => e.kind === 'device');
  return last && isPlace(last) ? ({ engine: last.engine, device: last.device } as Place) : undefined;
}

const isPlace = ({ engine, device }: { engine: string; device: string }): boolean =>
  Object.hasOwn(ENGINES, engine) && (ENGINES[engine as EngineName] as readonly string[]).includes(device);

/** The request for a resumed run: its original one, unless another is made now. Its fallback setting stays. */
export function resumedRequest(events: readonly RunEvent[], now: DeviceRequest): DeviceRequest {
  const then = events.findLast((e) => e.kind === 'requested');
  if (!then || now.given.device || (now.given.engine && now.engine !== then.engine)) return now;
  const engine = then.engine as EngineName;
  const names = [then.device].flat();
  if (!Object.hasOwn(ENGINES, engine)) return now;
  if (!names.every((device) => device === 'auto' || isPlace({ engine, device }))) return now;
  const device = Array.isArray(then.device) ? names.map((name) => ({ engine, device: name })) : then.device;
  const fallBack = now.fallBack || then.fallBack;
  return { ...now, engine, device: device as DeviceRequest['device'], fallBack };
}

/** A resumed run keeps its device unless another device or engine is requested by name. */
export function resumedChoice(
  events: readonly RunEvent[],
  { engine, given }: DeviceRequest,
): DeviceChoice | undefined {
  const place = recordedPlace(events);
  if (!place || given.device || (given.engine && engine !== place.engine)) return undefined;
  return { place, reason: 'resumed', tried: [] };
}

/** The request as the journal stores it. */
export const requestedEvent = ({ engine, device, fallBack }: DeviceRequest): RequestedEvent => ({
  kind: 'requested',
  engine,
  device: typeof device === 'string' ? device : device.map((place) => place.device),
  fallBack,
});

/** A measured device: seconds per step, or the reason why it was not measured. */
export interface Trial extends Partial<TrialProblem> {
  place: Place;
  secondsPerStep?: number;
  /** The machine has no such device. */
  missing?: true;
}

/** A smaller gain does not justify a driver, or bits that may differ from another machine's. */
const NEAR = 0.1;

/** The fastest of the measured devices; the CPU if it is nearly as fast. Undefined if none could be measured. */
export function fastest(trials: readonly Trial[]): Place | undefined {
  const measured = trials
    .filter((t): t is Trial & { secondsPerStep: number } => t.secondsPerStep !== undefined)
    .toSorted((a, b) => a.secondsPerStep - b.secondsPerStep);
  if (measured.length === 0) return undefined;
  const limit = measured[0].secondsPerStep * (1 + NEAR);
  const near = measured.find((t) => onProcessor(t.place) && t.secondsPerStep <= limit);
  return (near ?? measured[0]).place;
}
