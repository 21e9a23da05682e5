import type { RunEvent } from '../protocol/events';
import { effectiveEvents, parseJournal } from './journal/reader';
import { runPaths } from './layout';
import { MOST_BYTES } from './read';
import { fileVersion } from './summary-reader';
import { readIfThere } from '../files/read';

/**
 * The reason why a run has no spec.json: its experiment could not be read, and only the journal records the reason.
 * Undefined for any other folder.
 */
export async function earlyFailure(
  folder: string,
): Promise<Extract<RunEvent, { kind: 'failed' }> | undefined> {
  const { spec, events } = runPaths(folder);
  try {
    if ((await fileVersion(spec)) !== '') return undefined;
    const bytes = await readIfThere(events, MOST_BYTES.events);
    return bytes && effectiveEvents(parseJournal(bytes, events)).findLast((e) => e.kind === 'failed');
  } catch {
    // The run is damaged; reading it reports the damage.
    return undefined;
  }
}
