import type { Alarm } from '../../protocol/alarms/alarms';
import type { OpenRun } from './open-run';

/** Records alarms in the journal and shows them. */
export function raise(
  { journal, listener }: Pick<OpenRun, 'journal' | 'listener'>,
  alarms: readonly Alarm[],
): void {
  for (const alarm of alarms) {
    journal.append({ kind: 'alarm', ...alarm });
    listener.alarm(alarm);
  }
}
