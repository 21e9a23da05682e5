import { AuroraError } from '../base/errors';
import { t } from '../base/l10n';
import { programError } from '../executors/local/program';
import { type MeasuredOn, parseMeasuredOn, setName } from '../experiment/evaluation-sets';
import { outdated, readPredictions } from '../runs/predictions';
import { bestEvaluation, checkpointSteps } from '../runs/run-facts';
import type { RunSummary } from '../runs/run-summary';
import { modelQuestion } from './experiment-question';
import { findRun } from './find-runs';
import { optionalCount, optionalText } from './input';
import { stateIn } from './run-state';
import type { Tool, ToolHost } from './tool';
import { errorsConfirmation } from './tool-words';
import { outsidePaths, requireOwnInputs } from './workspace';

const USUAL_EXAMPLES = 10;
const MOST_EXAMPLES = 50;

export const errorsTool: Tool = {
  async prepare(host, input) {
    const at = stateIn(input);
    const on = setIn(optionalText(input, 'on'));
    const examples = Math.min(optionalCount(input, 'examples', 0) ?? USUAL_EXAMPLES, MOST_EXAMPLES);
    const { folder, label, run } = findRun(await host.runs(), host.folders, optionalText(input, 'run'));
    if (!run || bestEvaluation(run) === undefined)
      throw new AuroraError(
        'run',
        `The run ${label} has not been evaluated, so its errors are not known.`,
        'Follow it until its first evaluation, or choose another run.',
      );
    await requireOwnInputs(host, run.spec);
    const { spec } = run;
    return {
      doing: t('Finding the errors of {0}', label),
      ...(!(await isKept(host, run, at, on)) && {
        question: () =>
          Promise.resolve(errorsConfirmation({ ...modelQuestion(host, label, spec), on: setName(on) })),
      }),
      async answer() {
        await requireOwnInputs(host, spec);
        const args = ['errors', folder, `--at=${at}`, `--on=${on}`, `--top=${examples}`];
        const result = await host.program(args);
        if (result.code !== 0) throw programError(result, 'errors');
        return result.stdout;
      },
    };
  },
};

function setIn(given = 'validation'): MeasuredOn {
  const on = parseMeasuredOn(given);
  if (on) return on;
  throw new AuroraError(
    'usage',
    `"on" takes validation, test or evaluations.NAME, not "${given}".`,
    'NAME is a name in data.evaluations.',
  );
}

/** True if the predictions are in the run folder and still true, so that no model runs. */
async function isKept(host: ToolHost, run: RunSummary, at: string, on: MeasuredOn): Promise<boolean> {
  const step =
    at === 'best' ? bestEvaluation(run)?.step : at === 'last' ? checkpointSteps(run).at(-1) : Number(at);
  if (step === undefined) return false;
  const kept = await readPredictions(run.folder, step, on).catch(() => undefined);
  // A run's folder may have been written by anyone: no file outside is read for what it says.
  if (!kept || (await outsidePaths(host, [kept.data.file])).length > 0) return false;
  return (await outdated(kept, step, run.events, on)) === undefined;
}
