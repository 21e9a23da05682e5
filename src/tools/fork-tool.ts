import { AuroraError } from '../base/errors';
import { t } from '../base/l10n';
import { checkpointSteps } from '../executors/local/run-status';
import { changeExperiment } from '../runs/experiment/setting-changes';
import { runPaths } from '../runs/layout';
import { questionOf } from './experiment-question';
import { findRun } from './find-runs';
import { changedSettings, optionalCount, text } from './input';
import { planOf, planText } from './plan';
import { started } from './run-tool';
import { requireWanted, type Tool, type ToolRun } from './tool';
import { forkConfirmation } from './tool-words';
import { requireOwnInputs } from './workspace';

export const forkTool: Tool = {
  async prepare(host, input) {
    const changed = changedSettings(input);
    const asked = optionalCount(input, 'step', 0);
    const runs = await host.runs();
    const found = findRun(runs, host.folders, text(input, 'run'));
    const { folder, label, run, experiment: file } = found;
    if (!run) throw new AuroraError('run', `The run ${label} cannot be read, so it cannot be forked.`);
    const step = await checkpointAt(found, asked);
    const spec = changeExperiment(run.spec, changed, runPaths(folder).spec);
    await requireOwnInputs(host, spec);
    return {
      doing: t('Forking {0} at step {1}', label, step),
      async question() {
        const plan = planText(await planOf(host, spec, runs, step));
        return forkConfirmation({
          ...questionOf(host, { file, spec, runs }),
          run: label,
          step,
          changed,
          plan,
        });
      },
      async answer() {
        await requireOwnInputs(host, spec);
        requireWanted(host);
        return started(host, await host.fork(folder, step, changed));
      },
    };
  },
};

/** The last checkpoint at or before a step; the last one if none is given. The beginning needs no checkpoint. */
async function checkpointAt({ folder, label }: ToolRun, asked: number | undefined): Promise<number> {
  if (asked === 0) return 0;
  const steps = await checkpointSteps(folder);
  const step = steps.findLast((s) => asked === undefined || s <= asked);
  if (step !== undefined) return step;
  throw new AuroraError(
    'run',
    steps.length === 0
      ? `The run ${label} has no checkpoint to fork from.`
      : `The run ${label} has no checkpoint at or before step ${asked}.`,
    steps.length === 0
      ? 'Fork it at step 0, its beginning, or choose another run.'
      : `Its first checkpoint is at step ${steps[0]}; step 0 is its beginning.`,
  );
}
