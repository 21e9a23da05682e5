import { runLabel } from '../runs/label';
import type { RunEntry } from '../runs/store';
import { headline } from '../words/run-row';

/**
 * True if a run matches a filter: each of its words occurs in the run's name, id, note, tags, state, method, metric or
 * experiment's name. An empty filter matches everything.
 */
export function matchesFilter(entry: RunEntry, experiment: string, filter: string): boolean {
  const text = `${textOf(entry)}\n${experiment.toLowerCase()}`;
  return filter
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/** Thousands of runs are filtered again at each change of one. */
const texts = new WeakMap<RunEntry, string>();

function textOf(entry: RunEntry): string {
  const known = texts.get(entry);
  if (known !== undefined) return known;
  const text = [
    runLabel(entry),
    entry.id,
    entry.user.note ?? '',
    ...(entry.user.tags ?? []),
    entry.user.star ? 'starred' : '',
    entry.state,
    entry.run?.spec.adapter.method ?? '',
    headline(entry) ?? '',
  ]
    .join('\n')
    .toLowerCase();
  texts.set(entry, text);
  return text;
}
