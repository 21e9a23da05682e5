import type { PlaygroundView } from '../../src/protocol/panels/playground-view';
import { t } from '../../src/base/l10n';
import { numberText } from '../../src/base/number-text';
import { cautiousPercent } from '../../src/base/percent';
import { columnsOf, labelsOf, nameOf, type Column } from './columns';
import type { PlaySpan, Prediction } from '../../src/protocol/playground';
import { stepTime } from '../../src/base/time-text';
import { tokens } from './format';
import { FEW_LABELS } from './labels/answer';
import { ranked } from './labels/shares';
import { FEW_SPANS, numberOf } from './spans/answer';
import { summary } from './written';

/**
 * The question and the answers as text for an email or an issue.
 *
 * @param all every label and span, or as many as are shown at first
 */
export function answersText(view: PlaygroundView, question: string, all: boolean): string {
  const answers = columnsOf(view).flatMap((c) => {
    const text = answerText(c, all);
    return text === undefined ? [] : [`${nameOf(c)}\n${text}`];
  });
  return [question, ...answers].filter(Boolean).join('\n\n');
}

function answerText(column: Column, all: boolean): string | undefined {
  const { answer } = column;
  const { prediction, text, generated } = answer ?? {};
  if (text !== undefined)
    return [text.trimStart(), generated && `(${summary(generated)})`].filter(Boolean).join('\n');
  if (!prediction) return undefined;
  const lines = predictedLines(prediction, labelsOf(column), answer?.asked ?? '', all);
  const facts = [stepTime(prediction.seconds)];
  if (prediction.tokens !== undefined) facts.push(tokens(prediction.tokens));
  if (prediction.truncated) facts.push(t('the text was cut'));
  return `${lines.join('\n')}\n(${facts.join(', ')})`;
}

function predictedLines(
  prediction: Prediction,
  labels: readonly string[],
  asked: string,
  all: boolean,
): string[] {
  if (prediction.spans) return spanLines(prediction.spans, asked, all ? Infinity : FEW_SPANS);
  if (prediction.number !== undefined) return [`${numberText(prediction.number)}\t${labels[0]}`];
  if (prediction.masks)
    return prediction.masks.flatMap((tokens, i) => [
      ...(prediction.masks.length > 1 ? [t('Mask {0}', i + 1)] : []),
      ...tokens.map(({ token, probability }) => `${cautiousPercent(probability)}\t${token}`),
    ]);
  return ranked(prediction)
    .slice(0, all ? Infinity : FEW_LABELS)
    .map((i) => `${cautiousPercent(prediction.probabilities[i])}\t${labels[i]}`);
}

function spanLines(spans: readonly PlaySpan[], asked: string, most: number): string[] {
  if (spans.length === 0) return [numberOf(spans)];
  const lines = spans
    .slice(0, most)
    .map((s) => `${cautiousPercent(s.probability)}\t${s.label}\t${asked.slice(s.start, s.end)}`);
  return spans.length > most ? [...lines, t('and {0} more', spans.length - most)] : lines;
}
