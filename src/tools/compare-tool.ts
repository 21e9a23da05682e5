import { AuroraError } from '../../base/errors';
import { t } from '../../base/l10n';
import type { Contributes } from '../manifest/declared';
import type { RunEntry } from '../runs/store';
import type { Services } from '../services';
import { conclusions, MOST_RUNS, table } from './comparison';
import { findRun } from './find-runs';
import { optionalText, optionalTexts, type ToolInput } from './input';
import { experimentIn, requireWanted, type Tool, workspaceFolders } from './tool';
import { facts } from './tool-answer';

export const contributes: Contributes = {
  tools: {
    aurora_compare_runs: {
      reference: 'auroraCompare',
      name: 'Compare Runs',
      description: 'Results and differing settings of runs, with statistical tests',
      forModel:
        'Lists and compares AuroRA runs, the best first: state, best and latest evaluation, trainable parameters, duration, and only the settings in which they differ. For finished runs it adds paired statistical tests between groups that differ in more than the seed, worded so that chance is not taken for a difference. Without arguments it lists all runs of the workspace.',
      icon: 'git-compare',
      tag: 'evaluation',
      input: {
        runs: {
          type: 'array',
          items: { type: 'string' },
          description: 'Ids, folders or display names of the runs',
        },
        experiment: { type: 'string', description: 'Path of a *.aurora.json file: compare all its runs' },
        metric: {
          type: 'string',
          description:
            'Metric to sort and test by, such as accuracy, loss, f1, perplexity (default: that of the first run)',
        },
      },
    },
  },
};

export const compareTool: Tool = {
  prepare: () => Promise.resolve({ invocationMessage: t('Comparing runs') }),
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
