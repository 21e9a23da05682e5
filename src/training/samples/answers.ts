import { ANSWER_MISSED, ANSWER_SPURIOUS } from '../../protocol/prediction-columns';
import { isGraded } from '../../protocol/errors-view/is-graded';
import { wrongOf } from '../../protocol/errors-view/wrong';
import type { Answers } from '../../protocol/predictions';
import type { SampleAnswer, SamplePrediction } from '../../protocol/run-files/samples';
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
  const words = wordsOf(answers, rows);
  return {
    truths: rows.map((_, i) => words.truth?.(i)),
    details: rows.map((_, i) => words.detail?.(i)),
    predictions: rows.map((_, i) => ({
      ...words.predicted(i),
      ...(isJudged && { right: wrong[i] === 0 }),
      loss: answers.columns.loss[i],
    })),
  };
}

interface Words {
  truth?: (example: number) => SampleAnswer;
  detail?: (example: number) => string;
  predicted: (example: number) => Omit<SamplePrediction, 'loss' | 'right'>;
}

function wordsOf(answers: Answers, rows: readonly Row[]): Words {
  switch (answers.answer) {
    case 'label': {
      const { labels, columns } = answers;
      return {
        truth: (i) => short(labels[columns.label[i]]),
        predicted: (i) => ({
          said: short(labels[columns.predicted[i]]),
          probability: columns.probability[i],
        }),
      };
    }
    case 'number': {
      const { value, predicted } = answers.columns;
      return { truth: (i) => value[i], predicted: (i) => ({ said: predicted[i] }) };
    }
    case 'text': {
      const { right, answered } = answers.columns;
      return { predicted: (i) => ({ tokens: [right[i], answered[i]] }) };
    }
    case 'picture': {
      const { timestep } = answers.columns;
      return { detail: (i) => `timestep ${timestep[i]}`, predicted: () => ({}) };
    }
    case 'choice': {
      const { columns, shares } = answers;
      const choice = (i: number, at: number) => short(rows[i].choices?.[at] ?? '');
      const first = (i: number) => shares.example.indexOf(i);
      const probability = (i: number) =>
        first(i) < 0 ? {} : { probability: shares.probability[first(i) + columns.predicted[i]] };
      return {
        truth: (i) => choice(i, columns.label[i]),
        predicted: (i) => ({ said: choice(i, columns.predicted[i]), ...probability(i) }),
      };
    }
    case 'labels': {
      const { sets, labels } = answers;
      const said = (other: number) => joined(sets, other, (k) => labels[sets.label[k]]);
      return { truth: said(ANSWER_SPURIOUS), predicted: (i) => ({ said: said(ANSWER_MISSED)(i) }) };
    }
    case 'spans': {
      const { spans, labels } = answers;
      const span = (k: number) =>
        `${labels[spans.label[k]]}: ${rows[spans.example[k]].text.slice(spans.start[k], spans.end[k])}`;
      const said = (other: number) => joined(spans, other, span);
      return { truth: said(ANSWER_SPURIOUS), predicted: (i) => ({ said: said(ANSWER_MISSED)(i) }) };
    }
  }
}

/** An example's parts that are in the data, or predicted: all but the `other` ones. */
const joined =
  (parts: { example: Uint32Array; found: Uint8Array }, other: number, word: (part: number) => string) =>
  (example: number): string => {
    const own = [...parts.found.keys()].filter(
      (k) => parts.example[k] === example && parts.found[k] !== other,
    );
    return short(own.map(word).join(' · '));
  };

const short = (text: string): string => {
  const line = excerpt(text);
  return line.length <= LONGEST ? line : `${line.slice(0, LONGEST - 1).replace(/[\ud800-\udbff]$/, '')}…`;
};
