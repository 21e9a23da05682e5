import type { EngineName, Place } from '../place';

/** Where somebody wants to compute. */
export interface DeviceRequest {
  engine: EngineName;
  /** 'auto' measures; several devices to measure between; or one device. */
  device: 'auto' | Place['device'] | Place[];
  /** Go on with the processor, visibly, where the device cannot be used. */
  fallBack: boolean;
  /** Which of the two were said, and not taken for want of a word: a resumed run heeds only these. */
  given: { engine: boolean; device: boolean };
}
