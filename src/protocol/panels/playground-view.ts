import type { TaskShapes } from '../../experiment/tasks/kind';
import type {
  Generated,
  PlayFacts,
  PlayImage,
  PlayLine,
  PlaySample,
  PlayVariant,
  Prediction,
} from '../playground';

/** All that a playground shows; host and page keep the same, by the same lines. */
export interface PlaygroundView {
  /** Where the program that answers stands. */
  program: 'starting' | 'running' | 'ended';
  /** Why it is not there, or was started anew: whole sentences, translated. */
  notice?: string;
  /** In their order; the first is the panel's own. */
  subjects: SubjectView[];
  /** The newest question's number; 0 before the first. */
  request: number;
  /** Whether more of its answer is to come. */
  busy: boolean;
  /** The newest question, where it was an image. */
  image?: PlayImage;
  sample?: PlaySample & { request: number };
  /** What went wrong beside the question. */
  problem?: Trouble;
}

export interface SubjectView {
  id: string;
  /** As the person calls it. */
  title: string;
  /** Of a run that was set beside. */
  run?: string;
  /** Of a run they are known before it is loaded. */
  shapes?: TaskShapes;
  facts?: PlayFacts;
  /** Why it could not be loaded. */
  problem?: Trouble;
  /** Why it has no answer to the newest question. */
  trouble?: Trouble & { request: number };
  answers: Partial<Record<PlayVariant, AnswerView>>;
}

export interface Trouble {
  message: string;
  hint?: string;
}

export interface AnswerView {
  request: number;
  prediction?: Prediction;
  /** Of a language model, as far as it is written. */
  text?: string;
  generated?: Generated;
}

/** Takes in what the program said. */
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
      if (subject) subject.answers[line.variant] = { request: line.request, prediction: line };
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
