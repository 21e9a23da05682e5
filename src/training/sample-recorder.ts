import type { Row } from '../data/table/rows';
import { writeAtomic } from '../files/atomic';
import type { SampleAnswer } from '../protocol/answers/answer-kind';
import { type Answers, answerWords, isGraded, wrongOf } from '../protocol/answers/kinds';
import type {
  RunSamples,
  SampleEvaluation,
  SamplePrediction,
  SampleRow,
} from '../protocol/run-files/samples';
import { runPaths } from '../runs/layout';
import { readSamples } from '../runs/samples-and-pictures';
import type { DataSplit } from '../tasks/task-data';
import type { Plan } from './loop/training-plan';
import { excerpt } from './predictions/excerpts';
import type { Task } from './task/task';

/**
 * Writes the predictions of each evaluation for a few fixed validation rows into samples.json. It takes the outputs
 * that the evaluation computes anyway, so nothing is computed for it.
 */
export class SampleRecorder {
  private readonly split: DataSplit;
  private readonly places: ReadonlyMap<number, number>;
  private readonly kept: Float32Array[] = [];
  /** Steps of the plan's evaluations, ascending. */
  private readonly planned: number[];
  private rows: SampleRow[] | undefined;
  private evaluations: SampleEvaluation[] = [];

  /** @param from the step that the run is at: later records are not kept */
  constructor(
    private readonly task: Task,
    private readonly run: string,
    { totalSteps, evaluates }: Pick<Plan, 'totalSteps' | 'evaluates'>,
    from: number,
  ) {
    const { validation } = task.data;
    const { examples } = validation.dataset;
    const indices = spreadPlaces(examples.length, task.spec.training.samples ?? 0);
    this.places = new Map(indices.map((index, place) => [index, place]));
    const chosen = indices.map((i) => examples.at(i)!);
    this.split = { ...validation, dataset: { ...validation.dataset, examples: chosen } };
    this.planned = Array.from({ length: totalSteps }, (_, i) => i + 1).filter(evaluates);
    const before = this.places.size > 0 && from > 0 ? readSamples(run) : undefined;
    const lines = chosen.map(({ row }) => validation.rows.at(row)!.line);
    // A fork may have another number of rows.
    if (before?.rows.length !== lines.length || before.rows.some(({ line }, i) => line !== lines[i])) return;
    this.rows = before.rows;
    this.evaluations = before.evaluations.filter(({ step }) => step <= from);
  }

  /** @param logits the logits or numbers that the evaluation has of the example; valid only during the call */
  seen(example: number, logits: Float32Array): void {
    const place = this.places.get(example);
    if (place === undefined) return;
    const { kind } = this.task;
    this.kept[place] = kind.keep?.(this.split.dataset.examples.at(place)!, logits) ?? logits.slice();
  }

  /** Call after an evaluation whose result counts. */
  async evaluated(step: number, epoch: number): Promise<void> {
    if (this.places.size === 0) return;
    const { kind, data } = this.task;
    const { rows, dataset } = this.split;
    const answers = kind.predictions(this.split, data, this.kept);
    const own = dataset.examples.map(({ row }) => rows.at(row)!);
    const { truths, details, predictions } = sampleAnswers(answers, own);
    this.rows ??= await Promise.all(
      own.map(async ({ line, text, pair }, i) => {
        const thumbnail = await kind.thumbnail?.(dataset.examples.at(i)!);
        return {
          line,
          text: details[i] === undefined ? excerpt(text) : `${excerpt(text)}, ${details[i]}`,
          pair: pair && excerpt(pair),
          thumbnail,
          truth: truths[i],
        };
      }),
    );
    const total = this.nth(step);
    this.evaluations = [...this.evaluations, { step, epoch, answers: predictions }].filter(
      (e) => e.step === step || isKept(this.nth(e.step), total),
    );
    const content: RunSamples = {
      version: 1,
      answer: answers.answer,
      rows: this.rows,
      evaluations: this.evaluations,
    };
    writeAtomic(runPaths(this.run).samples, `${JSON.stringify(content)}\n`, this.run);
  }

  /** The number, from 1, of the evaluation at a step among the plan's. */
  private nth(step: number): number {
    let [low, high] = [0, this.planned.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.planned[middle] <= step) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

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
        said: short(said),
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

/** Evaluations in samples.json, besides the last one. */
const MOST_EVALUATIONS = 100;

/**
 * True if an evaluation is kept once there are `total`: if there are many, each second, fourth, eighth … one, with the
 * first and the last. The choice follows from the numbers alone, so that a resumed run has the same content.
 *
 * @param nth of the evaluation, from 1
 */
export function isKept(nth: number, total: number, most = MOST_EVALUATIONS): boolean {
  let stride = 1;
  while (Math.ceil(total / stride) > most) stride *= 2;
  return nth === total || (nth - 1) % stride === 0;
}

/** Evenly spread places in a list, the same ones for the same length. */
export const spreadPlaces = (length: number, count: number): number[] =>
  length <= count
    ? Array.from({ length }, (_, i) => i)
    : Array.from({ length: count }, (_, i) => Math.floor(((i + 0.5) * length) / count));
