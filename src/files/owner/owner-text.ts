import type { OwnerRecord } from '../fence';

/** An owner in a message: "process 42 on node7". */
export const ownerText = ({ pid, host, damaged }: OwnerRecord): string =>
  damaged ? 'a process that its damaged owner.json does not name' : `process ${pid} on ${host}`;
