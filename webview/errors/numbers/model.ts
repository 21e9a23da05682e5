import { numberErrors, valueBins } from '../../../src/protocol/errors-view/number-errors';
import { binOf, type LengthBin } from '../../../src/protocol/errors-view/slices';
import type { NumberAnswers } from '../../../src/protocol/predictions';
import { formatFor } from './format';
import { plotOf } from './plot';

export function numberParts({ answer, labels, columns }: NumberAnswers, bins: readonly LengthBin[]) {
  const { value, predicted, tokens } = columns;
  const values = valueBins(value);
  const errors = predicted.map((p, i) => p - value[i]);
  const byMagnitude = errors.toSorted((a, b) => Math.abs(a) - Math.abs(b));
  return {
    answer,
    /** The column's. */
    name: labels[0],
    columns,
    errors,
    /** Half of the errors are no larger. */
    half: Math.abs(byMagnitude[Math.ceil(errors.length / 2) - 1]),
    largest: byMagnitude.at(-1)!,
    mean: errors.reduce((sum, e) => sum + e, 0) / errors.length,
    errorsByLength: numberErrors(columns, bins.length, (i) => binOf(bins, tokens[i])),
    values,
    byValue: numberErrors(columns, values.length, (i) => binOf(values, value[i])),
    plot: plotOf(columns),
    format: formatFor(value),
  };
}
