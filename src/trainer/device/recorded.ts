import type { DeviceRequest } from '../../engine/devices/request';
import { CPU, ENGINES, type EngineName, type Place } from '../../engine/place';
import { readRunSummary } from '../../runs/read';
import type { RunEvent } from '../../shared/events';
import type { DeviceChoice } from './choose';

/** Where a run has computed last; undefined where it has not begun. Runs of older versions do not say: it was the CPU. */
export function recordedPlace(events: readonly RunEvent[]): Place | undefined {
  const last = events.findLast((e) => e.kind === 'device');
  if (last && isPlace(last)) return { engine: last.engine, device: last.device } as Place;
  return events.some((e) => e.kind === 'started') ? CPU : undefined;
}

const isPlace = ({ engine, device }: { engine: string; device: string }): boolean =>
  Object.hasOwn(ENGINES, engine) && (ENGINES[engine as EngineName] as readonly string[]).includes(device);

/** A resumed run stays where it was, unless another device, or another engine, is asked for by name. */
export function resumedChoice(run: string, { engine, given }: DeviceRequest): DeviceChoice | undefined {
  const place = recordedPlace(readRunSummary(run).events);
  if (!place || given.device || (given.engine && engine !== place.engine)) return undefined;
  return { place, reason: 'resumed', tried: [] };
}
