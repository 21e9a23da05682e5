import { answerWords, isGraded, wrongOf, type Answers } from '../../protocol/answers/kinds';
import type { SampleAnswer } from '../../protocol/answers/answer-kind';
import type { SamplePrediction } from '../../protocol/run-files/samples';
import { excerpt } from '../predictions/excerpts';
import type { Row } from '../../data/table/rows';

/** Characters of an answer in words; there may be many labels or spans. */
const LONGEST = 200;

/** The true answers in words, and the predictions, by example. @param rows by example */
export function sampleAnswers(
  answers: Answers,
  rows: readonly Row[],
): {
  truths: (SampleAnswer | undefined)[];
  /** Details that distinguish examples of one row. */
  details: (string | undefined)[];
  predictions: SamplePrediction[];
} {
  const wrong = wrongOf(answers);
  const isJudged = !isGraded(answers.answer);
  const words = answerWords(answers, rows);
  return {
    truths: rows.map((_, i) => short(words.truth?.(i))),
    details: rows.map((_, i) => words.detail?.(i)),
    predictions: rows.map((_, i) => {
      const { said, ...more } = words.predicted(i);
      return {
        ...(said !== undefined && { said: short(said) }),
        ...more,
        ...(isJudged && { right: wrong[i] === 0 }),
        loss: answers.columns.loss[i],
      };
    }),
  };
}

function short<A extends SampleAnswer | undefined>(answer: A): A | string {
  if (typeof answer !== 'string') return answer;
  const line = excerpt(answer);
  return line.length <= LONGEST ? line : `${line.slice(0, LONGEST - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
