import { statSync } from 'node:fs';
import { isPassing } from '../../files/read';
import { runPaths } from '../layout';
import { isBusy, readTrial, unreadTrial, type TrialView } from './look';
import type { TrialRecord } from './record';

/** A folder that changed this recently may change again without getting a new time stamp. */
const UNSETTLED_MS = 2000;

/** Looks at trials repeatedly, and reads only the folders that may have changed. */
export class TrialLooker {
  private readonly known = new Map<string, { version: string; view: TrialView }>();

  /**
   * While a network disk does not answer, a trial is as it was: as a failed one, it would lose its comparison for good.
   *
   * @throws the error if it was never read
   */
  look(record: TrialRecord, folder: string | undefined, now = Date.now()): TrialView {
    try {
      return this.read(record, folder, now);
    } catch (e) {
      if (!isPassing(e)) return unreadTrial(record, folder, e);
      const known = this.known.get(record.id);
      if (!known) throw e;
      return { ...known.view, record };
    }
  }

  private read(record: TrialRecord, folder: string | undefined, now: number): TrialView {
    const version = folder === undefined ? '' : versionOf(folder, record, now);
    const known = this.known.get(record.id);
    if (known && known.version === version && version !== '' && !isBusy(known.view))
      return known.view.record === record ? known.view : { ...known.view, record };
    const view = readTrial(record, folder, now);
    this.known.set(record.id, { version, view });
    return view;
  }
}

/**
 * Changes whenever a file is replaced (so with every heartbeat), the journal grows, or a trainer is started; '' while
 * that is uncertain.
 */
function versionOf(folder: string, { launched }: TrialRecord, now: number): string {
  const made = statSync(folder, { throwIfNoEntry: false })?.mtimeMs;
  if (made === undefined || now - made < UNSETTLED_MS) return '';
  return `${made}:${launched?.at}:${statSync(runPaths(folder).events, { throwIfNoEntry: false })?.size}`;
}
