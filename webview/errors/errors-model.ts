import { listsOf, type List, type Order } from '../../src/protocol/answers/examples';
import { wrongOf } from '../../src/protocol/answers/kinds';
import { lengthBins, lengthSlices } from '../../src/protocol/answers/slices';
import type { PredictionsMessage } from '../../src/protocol/panels/errors';

/** The predictions that the page shows, without what depends on the kind of answer; computed once. */
export type Model = ReturnType<typeof modelOf>;

export function modelOf({ run, experiment, file, parts, on, sets, predictions }: PredictionsMessage) {
  const { labels, columns, excerpts, metrics, step, form, inputs } = predictions;
  const wrong = wrongOf(predictions);
  const bins = lengthBins(columns.tokens);
  return {
    run,
    experiment,
    file,
    parts,
    on,
    sets,
    step,
    form,
    labels,
    columns,
    metrics,
    inputs,
    lists: listsOf(predictions.answer),
    examples: wrong.length,
    wrong,
    right: wrong.length - wrong.reduce((n, w) => n + w, 0),
    bins,
    byLength: lengthSlices(columns, wrong, bins),
    pictures: excerpts.some((excerpt) => excerpt.thumbnail !== undefined),
    texts: new Map(excerpts.map((excerpt) => [excerpt.example, excerpt])),
  };
}

/** The state of the page, as it is restored after a reload. */
export interface Ui {
  list: List;
  order: Order;
  /** An index into the length bins. */
  bin: number;
  search: string;
  page: number;
  /** Filters by the answer: a label, or the type of a span; the predicted label; or what became of it (ANSWER_MISSED …). */
  label: number;
  predicted: number;
  found: number;
  /** An index into the bins of the true numbers. */
  value: number;
  /** True if the table by label or type is shown to its end. */
  allLabels: boolean;
}

/** Removes all filters. */
export const NO_FILTERS = {
  label: undefined,
  predicted: undefined,
  found: undefined,
  value: undefined,
  bin: undefined,
  search: '',
} satisfies { [key in keyof Ui]?: Ui[key] | undefined };
