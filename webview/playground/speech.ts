import type { PlaygroundView } from '../../src/protocol/panels/playground-view';
import { numberText } from '../../src/base/number-text';
import { t } from '../../src/base/l10n';
import { cautiousPercent } from '../../src/base/percent';
import type { Prediction } from '../../src/protocol/playground';
import { labelsOf, nameOf, type Column } from './columns';
import { tokens } from './format';
import { listed as listedLabels } from './label-sets/answer';
import { predictedLabels } from './label-sets/label-set';
import { ranked } from './labels/shares';
import { best } from './masks/answer';
import { FEW_SPANS, numberOf } from './spans/answer';
import { listed } from './spans/spans';

/** The screen reader announcement for an answer, once it is complete. */
export function speech({ busy, request }: PlaygroundView, columns: readonly Column[]): string {
  if (busy) return '';
  const said = columns.flatMap((c) => {
    const { answer } = c;
    if (answer?.request !== request) return [];
    const { prediction, generated, picture } = answer;
    if (picture) return [t('{0}: the picture is drawn.', nameOf(c))];
    if (generated) return [t('{0} wrote {1}.', nameOf(c), tokens(generated.tokens))];
    if (!prediction) return [];
    return [t('{0}: {1}.', nameOf(c), answerWords(c, prediction))];
  });
  return said.join(' ');
}

function answerWords(column: Column, prediction: Prediction): string {
  const { spans, number } = prediction;
  const { answer } = column;
  const { answer: shape } = column.subject.facts!;
  const labels = labelsOf(column);
  if (number !== undefined) return t('{0} {1}', labels[0], numberText(number));
  if (spans?.length === 0) return numberOf(spans);
  if (spans) return t('{0}: {1}', numberOf(spans), listed(answer?.asked ?? '', spans, FEW_SPANS));
  if (prediction.masks) return best(prediction.masks).join(', ');
  if (shape === 'labels') return listedLabels(predictedLabels(labels, prediction));
  const [likeliest] = ranked(prediction);
  return t('{0}, {1}', labels[likeliest], cautiousPercent(prediction.probabilities[likeliest]));
}
