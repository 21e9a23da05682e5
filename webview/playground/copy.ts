import type { PlaygroundView } from '../../src/protocol/panels/playground-view';
import { t } from '../ui/l10n';
import { cautiousPercent } from '../../src/base/percent';
import { columnsOf, nameOf, type Column } from './columns';
import type { PlaySpan } from '../../src/protocol/playground';
import { latency, tokens } from './format';
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

function answerText({ subject, answer }: Column, all: boolean): string | undefined {
  const { prediction, text, generated } = answer ?? {};
  if (text !== undefined)
    return [text.trimStart(), generated && `(${summary(generated)})`].filter(Boolean).join('\n');
  if (!prediction) return undefined;
  const lines = prediction.spans
    ? spanLines(prediction.spans, answer?.asked ?? '', all ? Infinity : FEW_SPANS)
    : ranked(prediction)
        .slice(0, all ? Infinity : FEW_LABELS)
        .map((i) => `${cautiousPercent(prediction.probabilities[i])}\t${subject.facts!.labels[i]}`);
  const facts = [latency(prediction.seconds)];
  if (prediction.tokens !== undefined) facts.push(tokens(prediction.tokens));
  if (prediction.truncated) facts.push(t('the text was cut'));
  return `${lines.join('\n')}\n(${facts.join(', ')})`;
}

function spanLines(spans: readonly PlaySpan[], asked: string, most: number): string[] {
  if (spans.length === 0) return [numberOf(spans)];
  const lines = spans
    .slice(0, most)
    .map((s) => `${cautiousPercent(s.probability)}\t${s.label}\t${asked.slice(s.start, s.end)}`);
  return spans.length > most ? [...lines, t('and {0} more', spans.length - most)] : lines;
}
