import { binOf, type LengthBin } from '../../../src/protocol/errors-view/slices';
import { textSlices } from '../../../src/protocol/errors-view/text-slices';
import type { TextAnswers } from '../../../src/protocol/predictions';

export function textParts({ answer, columns }: TextAnswers, bins: readonly LengthBin[]) {
  const [all] = textSlices(columns, 1, () => 0);
  return {
    answer,
    columns,
    all,
    slices: textSlices(columns, bins.length, (i) => binOf(bins, columns.tokens[i])),
  };
}
