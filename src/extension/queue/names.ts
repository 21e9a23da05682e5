import { settingsNames } from '../../experiment/run-names';
import type { ExperimentEntry } from '../runs/store';
import type { QueuedRun } from './run-queue';

/** Names of queued runs by id, from the settings in which they differ from their experiment's runs and each other. */
export function queuedNames(
  items: readonly QueuedRun[],
  experiments: readonly Pick<ExperimentEntry, 'file' | 'runs'>[],
): Map<string, string> {
  const names = new Map<string, string>();
  for (const file of new Set(items.map((item) => item.file))) {
    const own = items.filter((item) => item.file === file);
    const runs = experiments.find((e) => e.file === file)?.runs ?? [];
    const specs = runs.flatMap((r) => (r.run && !r.trial ? [r.run.spec] : []));
    const all = settingsNames([...specs, ...own.map((item) => item.spec)]);
    own.forEach((item, i) => names.set(item.id, all[specs.length + i]));
  }
  return names;
}
