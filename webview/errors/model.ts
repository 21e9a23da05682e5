import { lengthBins, lengthSlices } from '../../src/protocol/errors-view/slices';
import { wrongOf } from '../../src/protocol/errors-view/wrong';
import type { PredictionsMessage } from '../../src/protocol/panels/errors';
import { labelParts } from './labels/model';
import { spanParts } from './spans/model';

/** What the page shows of a set of predictions, computed once; more of it by the shape of the answer. */
export type Model = LabelModel | SpanModel;
export type LabelModel = CommonModel & ReturnType<typeof labelParts>;
export type SpanModel = CommonModel & ReturnType<typeof spanParts>;
export type CommonModel = ReturnType<typeof commonParts>;

export function modelOf(message: PredictionsMessage): Model {
  const { predictions } = message;
  const wrong = wrongOf(predictions);
  const common = commonParts(message, wrong);
  return predictions.answer === 'label'
    ? { ...common, ...labelParts(predictions, wrong) }
    : { ...common, ...spanParts(predictions) };
}

function commonParts({ run, experiment, file, predictions }: PredictionsMessage, wrong: Uint8Array) {
  const { labels, columns, excerpts, metrics, step, form, inputs } = predictions;
  const bins = lengthBins(columns.tokens);
  return {
    run,
    experiment,
    file,
    step,
    form,
    labels,
    columns,
    metrics,
    inputs,
    examples: wrong.length,
    wrong,
    right: wrong.length - wrong.reduce((n, w) => n + w, 0),
    bins,
    byLength: lengthSlices(columns, wrong, bins),
    texts: new Map(excerpts.map((excerpt) => [excerpt.example, excerpt])),
  };
}
