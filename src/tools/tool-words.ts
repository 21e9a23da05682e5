import { codeSpan, plainWords } from '../../base/escape';
import { t } from '../../base/l10n';
import { rateNumber } from '../../base/number-text';
import type { Experiment } from '../../experiment/experiment';
import { isHeadAlone, methodName, methodSize } from '../../experiment/methods';
import { trainingLength } from '../../experiment/training-length';

/** The question to a person before a tool trains. */
export interface Confirmation {
  title: string;
  /** Markdown; names from files are escaped. */
  message: string;
}

export interface RunQuestion {
  /** The experiment file, as the workspace names it. */
  file: string;
  spec: Experiment;
  /** Settings that are changed for this run: "training.epochs=1". */
  changed: readonly string[];
  /** Display names of the runs in progress. */
  active: readonly string[];
  /** Displays a path: relative to the workspace if it is in it. */
  shown: (path: string) => string;
}

/** Asks before a run starts: the experiment, the machine, and other work in progress. */
export function runConfirmation(question: RunQuestion): Confirmation {
  const { file, changed, active } = question;
  const parts = [
    t('{0} is trained on this machine, in a new run folder.', codeSpan(file)),
    ...specLines(question),
    ...(changed.length > 0 ? [t('Changed for this run: {0}.', changed.map(codeSpan).join(', '))] : []),
    ...(active.length > 0
      ? [t('Another run is in progress, so both take longer: {0}.', active.map(plainWords).join(', '))]
      : []),
  ];
  return { title: t('Train the Experiment?'), message: parts.join('\n\n') };
}

/** Asks before a preflight, which runs the model and trains a few steps without keeping anything. */
export function preflightConfirmation(question: Omit<RunQuestion, 'changed'>): Confirmation {
  const parts = [
    t(
      '{0} is checked: its model runs a few real training steps on this machine. Nothing is kept.',
      codeSpan(question.file),
    ),
    ...specLines(question),
    ...(question.active.length > 0
      ? [
          t(
            'A run is in progress, so times are not reliable: {0}.',
            question.active.map(plainWords).join(', '),
          ),
        ]
      : []),
  ];
  return { title: t('Run the Preflight?'), message: parts.join('\n\n') };
}

function specLines({ spec, shown }: Pick<RunQuestion, 'spec' | 'shown'>): string[] {
  const { adapter, training, model, data } = spec;
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
    t('Model: {0}. Training data: {1}.', codeSpan(shown(model.path)), codeSpan(shown(data.train))),
  ];
}
