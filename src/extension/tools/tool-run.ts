import { inEnglish } from '../../base/l10n';
import type { ToolRun } from '../../tools/tool';
import { runLabel } from '../runs/label';
import type { RunEntry } from '../runs/store';
import { errorOf } from '../words/run-error';

/** A run of the editor as the tools know it, in English: its reader is a language model. */
export const toolRun = (entry: RunEntry): ToolRun => ({
  folder: entry.folder,
  id: entry.id,
  experiment: entry.experiment,
  label: inEnglish(() => runLabel(entry)),
  state: entry.state,
  run: entry.run,
  trial: entry.trial,
  isOnCluster: entry.cluster !== undefined,
  problem: () => errorOf(entry),
});
