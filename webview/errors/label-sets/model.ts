import { byExample } from '../../../src/protocol/errors-view/by-example';
import type { LabelSetAnswers } from '../../../src/protocol/predictions';
import { foundParts } from '../found/model';

export function labelSetParts({ answer, labels, sets }: LabelSetAnswers) {
  const { example, label, found, probability } = sets;
  const parts = byExample(example, (i) => ({
    label: label[i],
    found: found[i],
    probability: probability[i],
  }));
  return { answer, ...foundParts(sets, labels.length, parts) };
}
