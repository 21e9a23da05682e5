import { t } from '../base/l10n';
import { rateNumber } from '../base/number-text';
import type { Experiment } from '../experiment/experiment';
import { isHeadAlone, methodName, methodSize } from '../experiment/methods';
import { trainingLength } from '../experiment/training-length';
import type { Confirmation, Markup, ToolHost } from './tool';

export interface ExperimentQuestion extends Pick<ToolHost, 'markup' | 'shown'> {
  /** The experiment file, as the workspace names it. */
  file: string;
  spec: Experiment;
  /** Display names of the runs in progress. */
  active: readonly string[];
}

export interface RunQuestion extends ExperimentQuestion {
  /** Settings that are changed for this run: "training.epochs=1". */
  changed: readonly string[];
  /** Length, time and memory, in a sentence. */
  plan: string;
}

/** Asks before a run starts: the experiment, the machine, and other work in progress. */
export function runConfirmation(question: RunQuestion): Confirmation {
  const { file, plan, markup } = question;
  return {
    title: t('Train the Experiment?'),
    message: paragraphs(
      t('{0} is trained on this machine, in a new run folder.', markup.file(file)),
      ...specLines(question),
      plan,
      ...changedLines(question),
      ...busyLines(question),
    ),
    agree: t('Train'),
  };
}

/** Asks before a run starts from a run's checkpoint. */
export function forkConfirmation(question: RunQuestion & { run: string; step: number }): Confirmation {
  const { run, step, plan, markup } = question;
  return {
    title: t('Fork the Run?'),
    message: paragraphs(
      t('{0} is trained on from step {1} on this machine, in a new run folder.', markup.words(run), step),
      ...specLines(question),
      plan,
      ...changedLines(question),
      ...busyLines(question),
    ),
    agree: t('Train'),
  };
}

/** Asks before the trials of a sweep are trained. */
export function sweepConfirmation(
  question: RunQuestion & { trials: number; done: number; varied: readonly string[] },
): Confirmation {
  const { file, trials, done, varied, plan, markup } = question;
  return {
    title: t('Train the Sweep?'),
    message: paragraphs(
      done > 0
        ? t(
            'The sweep of {0} is continued on this machine: {1} of {2} trials are done.',
            markup.file(file),
            done,
            trials,
          )
        : t(
            'The sweep of {0} is trained on this machine: {1}.',
            markup.file(file),
            trials === 1 ? t('1 trial') : t('{0} trials', trials),
          ),
      ...(varied.length > 0 ? [t('Trials differ in {0}.', varied.map(markup.file).join(', '))] : []),
      ...specLines(question),
      t('Each trial: {0}', plan),
      ...busyLines(question),
    ),
    agree: t('Train'),
  };
}

/** Asks before a preflight, which runs the model and trains a few steps without keeping anything. */
export function preflightConfirmation(question: ExperimentQuestion): Confirmation {
  const { file, active, markup } = question;
  return {
    title: t('Run the Preflight?'),
    message: paragraphs(
      t(
        '{0} is checked: its model runs a few real training steps on this machine. Nothing is kept.',
        markup.file(file),
      ),
      ...specLines(question),
      ...(active.length > 0
        ? [t('A run is in progress, so times are not reliable: {0}.', list(active, markup))]
        : []),
    ),
    agree: t('Run Preflight'),
  };
}

interface TrainedQuestion extends Pick<ToolHost, 'markup' | 'shown'> {
  /** The run's display name. */
  run: string;
  spec: Experiment;
}

/** Asks before the model of a run is run over a data set. */
export function errorsConfirmation({
  run,
  spec,
  on,
  markup,
  shown,
}: TrainedQuestion & { on: string }): Confirmation {
  return {
    title: t('Find the Errors?'),
    message: paragraphs(
      t(
        'The model of {0} runs over the data set {1} on this machine. Its predictions are kept in the run folder.',
        markup.words(run),
        markup.words(on),
      ),
      filesLine({ spec, markup, shown }),
    ),
    agree: t('Run'),
  };
}

/** Asks before a run is exported. */
export function exportConfirmation({
  run,
  spec,
  form,
  markup,
  shown,
}: TrainedQuestion & { form: string }): Confirmation {
  return {
    title: t('Export the Run?'),
    message: paragraphs(
      t(
        '{0} is exported as {1} into its run folder, and the exported files are run on the validation data.',
        markup.words(run),
        markup.words(form),
      ),
      filesLine({ spec, markup, shown }),
    ),
    agree: t('Export'),
  };
}

/** Asks before a run or a sweep is stopped. */
export const stopConfirmation = (name: string, isSweep: boolean, markup: Markup): Confirmation => ({
  title: isSweep ? t('Stop the Sweep?') : t('Stop the Run?'),
  message: isSweep
    ? t(
        'The trials of {0} that are running finish their step and save. Run Sweep continues.',
        markup.words(name),
      )
    : t('{0} finishes its step and saves. Resume continues it.', markup.words(name)),
  agree: t('Stop'),
});

function specLines({ spec, shown, markup }: Pick<ExperimentQuestion, 'spec' | 'shown' | 'markup'>): string[] {
  const { adapter, training } = spec;
  const method = isHeadAlone(adapter)
    ? t('head only')
    : [methodName(adapter), methodSize(adapter)].join(' ').trim();
  return [
    t(
      '{0}, {1}, batch {2}, learning rate {3}.',
      method,
      trainingLength(training),
      training.batchSize * training.gradientAccumulation,
      rateNumber(training.learningRate),
    ),
    filesLine({ spec, shown, markup }),
  ];
}

const filesLine = ({
  spec: { model, data },
  shown,
  markup,
}: Pick<ExperimentQuestion, 'spec' | 'shown' | 'markup'>): string =>
  t('Model: {0}. Training data: {1}.', markup.file(shown(model.path)), markup.file(shown(data.train)));

const changedLines = ({ changed, markup }: Pick<RunQuestion, 'changed' | 'markup'>): string[] =>
  changed.length > 0 ? [t('Changed for this run: {0}.', changed.map(markup.file).join(', '))] : [];

const busyLines = ({ active, markup }: Pick<RunQuestion, 'active' | 'markup'>): string[] =>
  active.length > 0 ? [t('Another run is in progress, so both take longer: {0}.', list(active, markup))] : [];

const list = (names: readonly string[], markup: Markup): string => names.map(markup.words).join(', ');

const paragraphs = (...parts: readonly string[]): string => parts.join('\n\n');
