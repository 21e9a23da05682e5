import { AuroraError } from '../base/errors';
import { t } from '../base/l10n';
import { conclusions, MOST_RUNS, table } from './comparison';
import { findRun } from './find-runs';
import { optionalText, optionalTexts } from './input';
import { requireWanted, type Tool, type ToolHost, type ToolInput, type ToolRun } from './tool';
import { experimentIn } from './workspace';

export const compareTool: Tool = {
  prepare: (host, input) =>
    Promise.resolve({
      doing: t('Comparing runs'),
      async answer() {
        const entries = await chosen(host, input);
        const metric = optionalText(input, 'metric');
        const compared = table(entries, metric);
        requireWanted(host);
        const tested = await conclusions(entries.slice(0, MOST_RUNS), metric);
        requireWanted(host);
        return { ...compared, ...tested };
      },
    }),
};

async function chosen(host: ToolHost, input: ToolInput): Promise<ToolRun[]> {
  const runs = await host.runs();
  const named = optionalTexts(input, 'runs');
  if (named && named.length > 0) return [...new Set(named.map((name) => findRun(runs, host.folders, name)))];
  const experiment = optionalText(input, 'experiment');
  const file = experiment === undefined ? undefined : await experimentIn(host, experiment);
  const found = file === undefined ? runs : runs.filter((run) => run.experiment === file);
  if (found.length > 0) return found;
  throw new AuroraError(
    'usage',
    experiment === undefined ? 'There are no runs in this workspace.' : `${experiment} has no runs.`,
    'Start one with the tool aurora_run_experiment.',
  );
}
