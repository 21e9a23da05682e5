import { html, type TemplateResult } from 'lit';
import { t } from '../../src/base/l10n';
import { stepTime } from '../../src/base/number-text';
import type { AnswerView, PlaygroundView, SubjectView } from '../../src/protocol/panels/playground-view';
import type { PlayFacts, PlaySample, Prediction } from '../../src/protocol/playground';
import type { PlayVariant } from '../../src/protocol/play-question';

/** A source of answers: a subject, or its base. */
export interface Column {
  key: string;
  subject: SubjectView;
  variant: PlayVariant;
  title: string;
  /** Details that the title omits: the step, the form, or what the base is. */
  about: string;
  answer?: AnswerView;
}

/** The page's state, as an answer's card needs it. */
export interface CardContext {
  /** The first column, with which the others are compared. */
  first: Column;
  /** The newest question's number. */
  request: number;
  busy: boolean;
  all: boolean;
  /** True if there is something to compare with the first. */
  several: boolean;
  /** The last validation text. */
  sample?: PlaySample;
  /** The last validation text, if it is in the box, unchanged. */
  truth?: PlaySample;
  prompt: string;
  /** True if the prompt was asked without the template of training. */
  asTyped: boolean;
  remove(subject: string): void;
  /** Asks where to save a column's picture. */
  save(column: Column): void;
}

/** A kind of answer on this page. */
export interface AnswerKind {
  /** A question is sent while it is typed, or at the press of a button, if its answer takes long. */
  asked: 'typing' | 'generate' | 'draw';
  /** The question comes with choices. */
  choices?: true;
  /** A column's answer in its card; undefined before there is one. */
  card(column: Column, context: CardContext): TemplateResult | undefined;
  /** Below all cards: how to read them, and the buttons. @param answers columns with an answer of any kind */
  below?(answers: readonly Column[], context: BelowContext): Below;
  /** A column's answer as text for the clipboard; undefined before there is one. @param all its labels or spans */
  text?(column: Column, all: boolean): string | undefined;
  /** A column's complete answer in a sentence for a screen reader; undefined before there is one. */
  spoken(column: Column): string | undefined;
  /** The sentence with the place of a validation row, and its answer. */
  truth(sample: PlaySample, place: string): string;
}

export interface BelowContext {
  /** The last validation text. */
  sample: PlaySample | undefined;
  /** The last validation text, if it is in the box, unchanged. */
  truth: PlaySample | undefined;
}

export interface Below {
  /** The legend of the marks in judged answers. */
  marks?: unknown;
  /** Explains the signs of a comparison. */
  compared?: string;
  /** The button for the rest of each answer, and for its beginning. */
  all?: string;
  few?: string;
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
    about:
      variant === 'base'
        ? aboutBase(facts!)
        : [weighed(aboutOwn(facts), subject.combined?.weight ?? 1), ...others(subject)]
            .filter(Boolean)
            .join(' + '),
    ...(answers[variant] && { answer: answers[variant] }),
  };
}

function aboutOwn(facts: PlayFacts | undefined): string {
  if (facts?.step === undefined) return '';
  return facts.form === 'static' ? t('step {0}, static form', facts.step) : t('step {0}', facts.step);
}

/** The adapters that answer together with a subject's own. */
const others = ({ combined }: SubjectView): string[] =>
  (combined?.adapters ?? []).map(({ title, weight }) => times(title, weight));

const times = (name: string, weight: number): string =>
  t('{0} × {1}', name, String(weight).replace('-', '−'));

/** An adapter with its weight, if it has another one than usual. */
const weighed = (name: string, weight: number): string => (weight === 1 ? name : times(name, weight));

function aboutBase({ base, step }: PlayFacts): string {
  if (base === 'model') return t('without the adapter');
  return step === undefined
    ? t('without the adapter, with its head')
    : t('without the adapter, with this run’s head');
}

/** The names of a column's probabilities: the choices of the question that it answers, or the labels of its model. */
export function labelsOf({ subject, answer }: Column): readonly string[] {
  const { prediction } = answer ?? {};
  return (prediction?.probabilities && prediction.choices) ?? subject.facts?.labels ?? [];
}

/** A column's name in a sentence. */
export const nameOf = ({ title, about }: Column): string => (about ? t('{0} ({1})', title, about) : title);

/** The column that this one is compared with; undefined for the first. */
export const otherOf = ({ key }: Column, { first }: CardContext): Column | undefined =>
  key === first.key ? undefined : first;

export const tokens = (count: number): string => (count === 1 ? t('1 token') : t('{0} tokens', count));

/** The time it took, and the length of the text that was read; below an answer. */
export function measured({ seconds, tokens: count, truncated }: Prediction): TemplateResult {
  const parts = [stepTime(seconds)];
  if (count !== undefined)
    parts.push(truncated ? t('the text was cut to {0}', tokens(count)) : tokens(count));
  return html`<p class="note numbers">${parts.join(' · ')}</p>`;
}

/** The lines of an answer on the clipboard, with the time and length below them. */
export function measuredText(lines: readonly string[], prediction: Prediction): string {
  const facts = [stepTime(prediction.seconds)];
  if (prediction.tokens !== undefined) facts.push(tokens(prediction.tokens));
  if (prediction.truncated) facts.push(t('the text was cut'));
  return `${lines.join('\n')}\n(${facts.join(', ')})`;
}

/** A column's answer in a sentence. */
export const sentence = (column: Column, words: string): string => t('{0}: {1}.', nameOf(column), words);
