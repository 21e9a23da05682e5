import type { AnswerView, PlaygroundView, SubjectView } from '../../src/protocol/panels/playground-view';
import type { PlayFacts, PlayVariant } from '../../src/protocol/playground';
import { t } from '../../src/base/l10n';

/** A source of answers: a subject, or its base. */
export interface Column {
  key: string;
  subject: SubjectView;
  variant: PlayVariant;
  title: string;
  /** What the title omits: the step, the form, or what the base is. */
  about: string;
  answer?: AnswerView;
}

export const columnsOf = ({ subjects }: PlaygroundView): Column[] =>
  subjects.flatMap((subject) => [
    column(subject, 'adapted'),
    ...(subject.facts?.base ? [column(subject, 'base')] : []),
  ]);

function column(subject: SubjectView, variant: PlayVariant): Column {
  const { id, title, facts, answers } = subject;
  return {
    key: `${id} ${variant}`,
    subject,
    variant,
    title: variant === 'base' ? t('Base model') : title,
    about: variant === 'base' ? aboutBase(facts!) : aboutOwn(facts),
    ...(answers[variant] && { answer: answers[variant] }),
  };
}

function aboutOwn(facts: PlayFacts | undefined): string {
  if (facts?.step === undefined) return '';
  return facts.form === 'static' ? t('step {0}, static form', facts.step) : t('step {0}', facts.step);
}

function aboutBase({ base, step }: PlayFacts): string {
  if (base === 'model') return t('without the adapter');
  return step === undefined
    ? t('without the adapter, with its head')
    : t('without the adapter, with this run’s head');
}

/** What a column's probabilities are of: the choices of the question that it answers, or the labels of its model. */
export function labelsOf({ subject, answer }: Column): readonly string[] {
  const { prediction } = answer ?? {};
  return (prediction?.probabilities && prediction.choices) ?? subject.facts?.labels ?? [];
}

/** A column's name in a sentence. */
export const nameOf = ({ title, about }: Column): string => (about ? t('{0} ({1})', title, about) : title);
