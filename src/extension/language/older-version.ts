import { sortedJson } from '../../base/sorted-json';
import { readIfThere } from '../../files/read';
import { ExperimentText, withoutMark } from '../../runs/experiment/experiment-text';
import { runPaths } from '../../runs/layout';
import { isActive } from '../runs/shown-state';
import type { RunEntry } from '../runs/store';

/** The texts that runs were started with; they never change. */
const texts = new Map<string, string>();

/**
 * The first of these runs that is training other settings than the text has. Runs without a copy of their experiment's
 * text, trials and forks, do not count.
 */
export async function runOfOlderVersion(
  runs: readonly RunEntry[],
  text: string,
): Promise<RunEntry | undefined> {
  for (const run of runs.filter((r) => isActive(r.state) && r.trial === undefined)) {
    const started = await textOf(run.folder);
    if (started !== undefined && !sameSettings(started, text)) return run;
  }
  return undefined;
}

async function textOf(run: string): Promise<string | undefined> {
  const known = texts.get(run);
  if (known !== undefined) return known;
  const bytes = await readIfThere(runPaths(run).source).catch(() => undefined);
  if (!bytes) return undefined;
  const text = bytes.toString('utf8');
  texts.set(run, text);
  return text;
}

/**
 * True if both experiments have equal settings: comments, layout, the order of keys, the sweep and the cluster do not
 * matter.
 */
export const sameSettings = (a: string, b: string): boolean => a === b || settingsOf(a) === settingsOf(b);

/** Text that is not JSON, as while it is being edited, is compared as far as it can be read. */
function settingsOf(text: string): string {
  const value = new ExperimentText('', withoutMark(text)).value();
  const settings =
    typeof value === 'object' && value !== null ? { ...value, sweep: undefined, cluster: undefined } : value;
  return sortedJson(settings ?? null);
}
