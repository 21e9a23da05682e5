import { spansByExample } from '../../../src/protocol/errors-view/example-spans';
import type { SpanAnswers } from '../../../src/protocol/predictions';
import { foundParts } from '../found/model';

export const spanParts = ({ answer, labels, spans }: SpanAnswers) => ({
  answer,
  ...foundParts(spans, labels.length, spansByExample(spans)),
});
