import type { AnswerShape } from '../../src/experiment/tasks/kind';
import type { AnswerKind } from './answer-kind';
import { choiceAnswer } from './choice-answer';
import { labelAnswer } from './label-answer';
import { labelSetAnswer } from './label-set-answer';
import { maskAnswer } from './mask-answer';
import { numberAnswer } from './number-answer';
import { pictureAnswer } from './picture-answer';
import { spanAnswer } from './span-answer';
import { textAnswer } from './text-answer';

/** Each kind of answer on this page; nothing else asks which kind it is. */
export const KINDS: Record<AnswerShape, AnswerKind> = {
  label: labelAnswer,
  labels: labelSetAnswer,
  choice: choiceAnswer,
  number: numberAnswer,
  tokens: maskAnswer,
  spans: spanAnswer,
  text: textAnswer,
  picture: pictureAnswer,
};
