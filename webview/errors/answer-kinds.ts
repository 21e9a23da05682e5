import type { Answers } from '../../src/protocol/answers/kinds';
import type { AnswersPart, ShowAnswers } from './answer-part';
import { choiceAnswers } from './choice-answers';
import type { Model } from './errors-model';
import { labelAnswers } from './label-answers';
import { labelSetAnswers } from './label-set-answers';
import { numberAnswers } from './number-answers';
import { pictureAnswers } from './picture-answers';
import { spanAnswers } from './span-answers';
import { textAnswers } from './text-answers';
import { writtenAnswers } from './written-answers';

/** Each kind of answer on this page; nothing else asks which kind it is. */
const KINDS: { [A in Answers as A['answer']]: ShowAnswers<A> } = {
  label: labelAnswers,
  labels: labelSetAnswers,
  spans: spanAnswers,
  number: numberAnswers,
  text: textAnswers,
  written: writtenAnswers,
  choice: choiceAnswers,
  picture: pictureAnswers,
};

export const answersPart = (model: Model, answers: Answers): AnswersPart =>
  (KINDS[answers.answer] as ShowAnswers<Answers>)(model, answers);
