import type { RunSummary } from '../../../runs/read';
import { isActive } from '../../runs/shown-state';
import type { RunEntry } from '../../runs/store';

const BEGINS = ['requested', 'device', 'started', 'resumed'];
const ENDS = ['stopped', 'failed', 'finished'];

/**
 * The times when a run's trainers worked on it, in ms since 1970: from the first event of each to its last, or, for the
 * newest, to its last sign of life.
 */
export function spansOf({ events, status }: RunSummary, state: RunEntry['state']): [number, number][] {
  const spans: [number, number][] = [];
  let open = false;
  for (const { kind, t } of events) {
    const begins = BEGINS.includes(kind);
    // A trainer that was killed left no end.
    if (kind === 'resumed' || (begins && !open)) spans.push([t, t]);
    if (begins) open = true;
    // A queue that prunes a trial writes to the journal of one that has ended.
    if (open) spans.at(-1)![1] = t;
    if (ENDS.includes(kind)) open = false;
  }
  const alive = status && (isActive(state) || open) ? status.heartbeat : undefined;
  if (alive !== undefined && spans.length > 0) spans.at(-1)![1] = Math.max(spans.at(-1)![1], alive);
  return spans;
}
