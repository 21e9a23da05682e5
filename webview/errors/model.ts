import { listsOf } from '../../src/protocol/errors-view/choice';
import { lengthBins, lengthSlices } from '../../src/protocol/errors-view/slices';
import { wrongOf } from '../../src/protocol/errors-view/wrong';
import type { PredictionsMessage } from '../../src/protocol/panels/errors';
import { choiceParts } from './choices/model';
import { labelSetParts } from './label-sets/model';
import { labelParts } from './labels/model';
import { numberParts } from './numbers/model';
import { pictureParts } from './pictures/model';
import { spanParts } from './spans/model';
import { textParts } from './texts/model';

/** What the page shows of a set of predictions, computed once; more of it by the shape of the answer. */
export type Model =
  LabelModel | LabelSetModel | SpanModel | NumberModel | TextModel | ChoiceModel | PictureModel;
export type LabelModel = CommonModel & ReturnType<typeof labelParts>;
export type LabelSetModel = CommonModel & ReturnType<typeof labelSetParts>;
export type SpanModel = CommonModel & ReturnType<typeof spanParts>;
export type NumberModel = CommonModel & ReturnType<typeof numberParts>;
export type TextModel = CommonModel & ReturnType<typeof textParts>;
export type ChoiceModel = CommonModel & ReturnType<typeof choiceParts>;
export type PictureModel = CommonModel & ReturnType<typeof pictureParts>;
export type CommonModel = ReturnType<typeof commonParts>;

export function modelOf(message: PredictionsMessage): Model {
  const { predictions } = message;
  const wrong = wrongOf(predictions);
  const common = commonParts(message, wrong);
  switch (predictions.answer) {
    case 'label':
      return { ...common, ...labelParts(predictions, wrong) };
    case 'labels':
      return { ...common, ...labelSetParts(predictions) };
    case 'spans':
      return { ...common, ...spanParts(predictions) };
    case 'number':
      return { ...common, ...numberParts(predictions, common.bins) };
    case 'text':
      return { ...common, ...textParts(predictions, common.bins) };
    case 'picture':
      return { ...common, ...pictureParts(predictions) };
    case 'choice':
      return { ...common, ...choiceParts(predictions) };
  }
}

function commonParts(
  { run, experiment, file, parts, on, sets, predictions }: PredictionsMessage,
  wrong: Uint8Array,
) {
  const { labels, columns, excerpts, metrics, step, form, inputs } = predictions;
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
