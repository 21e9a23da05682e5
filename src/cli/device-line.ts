import { placeName, type Place } from '../engine/place';
import type { DeviceEvent } from '../shared/events';

const WHY: Record<DeviceEvent['reason'], string> = {
  chosen: 'as asked for',
  fastest: 'the fastest here',
  only: 'the only one to try here',
  fallback: 'instead of the one that cannot be used',
  resumed: 'as before',
};

type Device = Omit<DeviceEvent, 'kind' | 'step'>;

/** Where a run computes and why there: "ONNX Runtime on cpu, the fastest here". */
export const deviceWords = ({ engine, device, reason }: Device): string =>
  `${placeName({ engine, device } as Place)}, ${WHY[reason]}`;

/** The same on one line with what else was tried, and why not more. */
export function deviceLine(of: Device): string {
  const others = of.tried.map(({ device, secondsPerStep, problem }) =>
    secondsPerStep === undefined ? `${device}: ${problem}` : `${device} ${stepTime(secondsPerStep)} a step`,
  );
  return `Device: ${deviceWords(of)}${others.length ? ` (${others.join('; ')})` : ''}.`;
}

/** `8.4 ms`, `0.62 s`. */
export const stepTime = (seconds: number): string =>
  seconds < 0.1 ? `${(1000 * seconds).toFixed(seconds < 0.01 ? 1 : 0)} ms` : `${seconds.toFixed(2)} s`;
