import * as vscode from 'vscode';
import { AuroraError } from '../../base/errors';
import type { Services } from '../services';
import type { RunEntry } from '../runs/store';
import { facts } from './answer';
import { conclusions, MOST_RUNS, table } from './comparison';
import { findRun } from './find-runs';
import { optionalText, optionalTexts, type ToolInput } from './input';
import { experimentIn, requireWanted, workspaceFolders, type Tool } from './tool';

export const compareTool: Tool = {
  prepare: () => Promise.resolve({ invocationMessage: vscode.l10n.t('Comparing runs') }),
  async answer(services, input, token) {
    const entries = await chosen(services, input);
    const metric = optionalText(input, 'metric');
    const compared = table(entries, metric);
    requireWanted(token);
    const tested = await conclusions(entries.slice(0, MOST_RUNS), metric);
    requireWanted(token);
    return facts({ ...compared, ...tested });
  },
};

async function chosen({ store }: Services, input: ToolInput): Promise<RunEntry[]> {
  const runs = await store.runs();
  const named = optionalTexts(input, 'runs');
  const folders = workspaceFolders();
  if (named && named.length > 0) return [...new Set(named.map((name) => findRun(runs, folders, name)))];
  const experiment = optionalText(input, 'experiment');
  const file = experiment === undefined ? undefined : await experimentIn(experiment);
  const found = file === undefined ? runs : runs.filter((run) => run.experiment === file);
  if (found.length > 0) return found;
  throw new AuroraError(
    'usage',
    experiment === undefined ? 'There are no runs in this workspace.' : `${experiment} has no runs.`,
    'Start one with the tool aurora_run_experiment.',
  );
}
