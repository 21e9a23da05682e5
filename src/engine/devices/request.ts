import type { EngineName, Place } from '../place';

/** The requested device. */
export interface DeviceRequest {
  engine: EngineName;
  /** 'auto' measures; several devices to measure against each other; or one device. */
  device: 'auto' | Place['device'] | Place[];
  /** Fall back to the CPU, visibly, if the device cannot be used. */
  fallBack: boolean;
  /** True for each of the two that was given explicitly rather than by default: a resumed run respects only these. */
  given: { engine: boolean; device: boolean };
}
