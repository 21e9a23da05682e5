import { existsSync } from 'node:fs';
import { t } from '../base/l10n';
import type { Experiment } from '../experiment/experiment';
import { pathSettings } from '../experiment/paths';
import { ignoredSettings } from '../experiment/ignored-settings';
import { isHeadAlone, methodName, methodSize } from '../experiment/methods';
import { trainingLength } from '../experiment/training-length';
import { matchedBy } from '../files/pattern';
import { ExperimentText, type Problem } from '../runs/experiment/experiment-text';
import { missingReferences } from '../runs/experiment/hub-references';
import { type CheckedExperiment, checkWithTrials } from '../runs/experiment/load';
import { text } from './input';
import type { Tool, ToolHost } from './tool';
import { experimentIn, namedPaths, outsideInputs } from './workspace';

/** Mistakes in an answer: an experiment that is not one may have hundreds. */
const MOST = 30;

export const validateTool: Tool = {
  async prepare(host, input) {
    const file = await experimentIn(host, text(input, 'experiment'));
    return {
      doing: t('Checking {0}', host.shown(file)),
      async answer() {
        const doc = new ExperimentText(file, await host.text(file));
        const checked = checkWithTrials(doc);
        const { experiment, raw, problems } = checked;
        const files = experiment && raw ? await fileProblems(host, checked) : [];
        const mistakes = [...problems, ...files].map((problem) => placed(doc, problem));
        return {
          file: host.shown(file),
          valid: mistakes.length === 0,
          mistakes: mistakes.slice(0, MOST),
          ...(mistakes.length > MOST && { more: mistakes.length - MOST }),
          withoutEffect: ignoredSettings(raw).map((problem) => placed(doc, problem)),
          ...(experiment && { experiment: experimentFacts(host, experiment) }),
          ...(checked.trials !== undefined && { trials: checked.trials }),
          next:
            mistakes.length > 0
              ? 'Correct the mistakes, then call aurora_validate_experiment again.'
              : 'Call aurora_preflight to measure it, or aurora_run_experiment to train it.',
        };
      },
    };
  },
};

const placed = (doc: ExperimentText, problem: Pick<Problem, 'path' | 'message' | 'offset'>) => {
  const { line, column } = doc.placeOf(problem);
  const setting = problem.path.join('.');
  return { line, column, ...(setting !== '' && { setting }), message: problem.message };
};

/** Files that are missing, not downloaded, or outside the workspace. */
async function fileProblems(host: ToolHost, { doc, raw, experiment }: CheckedExperiment): Promise<Problem[]> {
  const missing = missingReferences(raw, doc.file);
  const outside = new Set(await outsideInputs(host, experiment!));
  const files = namedPaths(experiment!).flatMap((path): Problem[] => {
    const at = { path: settingOf(experiment!, path) };
    if (outside.has(path))
      return [{ ...at, message: `${host.shown(path)} is outside the workspace, so tools do not use it` }];
    // A tokenizer beside the model is not needed by every task.
    if (!doc.node(...at.path) || missing.length > 0) return [];
    if (matchedBy(path).some((match) => existsSync(match))) return [];
    return [{ ...at, message: `there is no file or folder ${host.shown(path)}` }];
  });
  return [...missing, ...files];
}

/** The setting with a path of the experiment. */
const settingOf = (spec: Experiment, path: string): string[] =>
  pathSettings(spec).find((named) => named.path === path)?.setting ?? [];

const experimentFacts = (host: ToolHost, { adapter, training, model, data }: Experiment): object => ({
  method: isHeadAlone(adapter) ? 'head alone' : [methodName(adapter), methodSize(adapter)].join(' ').trim(),
  length: trainingLength(training),
  batchSize: training.batchSize * training.gradientAccumulation,
  learningRate: training.learningRate,
  metric: training.metric,
  model: host.shown(model.path),
  train: host.shown(data.train),
  ...(data.validation !== undefined && { validation: host.shown(data.validation) }),
});
