import type { TaskShapes } from '../../experiment/tasks/kind';
import type { Generated, PlayFacts, PlayLine, PlayPicture, PlaySample, Prediction } from '../playground';
import type { PlayAdapter, PlayImage, PlayVariant } from '../play-question';

/** The state of a playground. Host and page maintain the same from the same lines. */
export interface PlaygroundView {
  /** The status of the program that answers. */
  program: 'starting' | 'running' | 'ended';
  /** The reason why it is not running, or was restarted: full sentences, translated. */
  notice?: string;
  /** In order; the first is the panel's own. */
  subjects: SubjectView[];
  /** The newest question's number; 0 before the first. */
  request: number;
  /** True if more of its answer will follow. */
  busy: boolean;
  /** The newest question, if it was a text to be labeled. */
  text?: string;
  /** Its second text, if it was a pair. */
  pair?: string;
  /** Its choices, if it was a question. */
  choices?: readonly string[];
  /** The newest question, if it was an image. */
  image?: PlayImage;
  sample?: PlaySample & { request: number };
  /** An error that belongs to no answer. */
  problem?: Trouble;
}

export interface SubjectView {
  id: string;
  /** The user's name for it. */
  title: string;
  /** Only for a run that was added for comparison. */
  run?: string;
  /** The adapters of other runs that answer together with its own. */
  combined?: CombinedView;
  /** For a run, known before it is loaded. */
  shapes?: TaskShapes;
  facts?: PlayFacts;
  /** The reason why loading failed. */
  problem?: Trouble;
  /** The reason why it has no answer to the newest question. */
  trouble?: Trouble & { request: number };
  answers: Partial<Record<PlayVariant, AnswerView>>;
}

export interface CombinedView {
  /** The weight of the run's adapter. */
  weight: number;
  /** Each by its run's folder, with the user's name for it. */
  adapters: (PlayAdapter & { title: string })[];
}

export interface Trouble {
  message: string;
  hint?: string;
}

export interface AnswerView {
  request: number;
  prediction?: Prediction;
  /** The text that the prediction is of, which may no longer be the newest question. */
  asked?: string;
  /** From a language model, as far as it is generated. */
  text?: string;
  generated?: Generated;
  /** For a picture that is being drawn: the steps that are done. */
  drawing?: { step: number; of: number };
  picture?: PlayPicture;
}

/** Applies a line of the program's output. */
export function applyLine(view: PlaygroundView, line: PlayLine): void {
  const subject = 'subject' in line ? view.subjects.find((s) => s.id === line.subject) : undefined;
  switch (line.kind) {
    case 'loading':
      if (subject) subject.facts = subject.problem = undefined;
      return;
    case 'loaded':
      if (subject) subject.facts = line;
      return;
    case 'prediction':
      if (subject) applyPrediction(view, subject, line);
      return;
    case 'token': {
      const answer = subject?.answers[line.variant];
      if (answer?.request === line.request) answer.text = (answer.text ?? '') + line.text;
      else if (subject) subject.answers[line.variant] = { request: line.request, text: line.text };
      return;
    }
    case 'generated':
      if (subject)
        subject.answers[line.variant] = { request: line.request, text: line.text, generated: line };
      return;
    case 'drawing':
      if (subject)
        subject.answers[line.variant] = {
          request: line.request,
          drawing: { step: line.step, of: line.of },
        };
      return;
    case 'picture':
      if (subject) subject.answers[line.variant] = { request: line.request, picture: line };
      return;
    case 'sample':
      view.sample = line;
      return;
    case 'answered':
      if (line.request === view.request) view.busy = false;
      return;
    case 'problem': {
      const { message, hint, request } = line;
      if (subject && request === undefined) subject.problem = { message, hint };
      else if (subject && request === view.request) subject.trouble = { message, hint, request };
      else view.problem = { message, hint };
    }
  }
}

function applyPrediction(
  { request, text }: PlaygroundView,
  subject: SubjectView,
  line: Extract<PlayLine, { kind: 'prediction' }>,
): void {
  const isNewest = line.request === request;
  // Spans and masks mean nothing without their text, which was that of an earlier question.
  if ((line.spans || line.masks) && !isNewest) return;
  subject.answers[line.variant] = {
    request: line.request,
    prediction: line,
    asked: isNewest ? text : undefined,
  };
}
