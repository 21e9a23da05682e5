import type { DeviceRequest } from '../../engine/devices';
import { ENGINES, type EngineName, type Place } from '../../engine/place';
import type { RequestedEvent, RunEvent } from '../../protocol/events';
import type { DeviceChoice } from './choose';

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
