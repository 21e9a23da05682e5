import type { HostTensors } from '../graph/host-tensor';

export type { HostTensor, HostTensors } from '../graph/host-tensor';

/** A graph ready to run on one device. */
export interface Executable {
  /** @param fetches output names; all of them by default */
  run(feeds: HostTensors, fetches?: readonly string[]): Promise<HostTensors>;
  dispose(): Promise<void>;
}
