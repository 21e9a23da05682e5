import type { PlaygroundView } from '../../src/protocol/panels/playground-view';
import { t } from '../ui/l10n';
import { cautiousPercent } from '../../src/base/percent';
import { columnsOf, nameOf, type Column } from './columns';
import { latency, ranked, tokens } from './format';
import { summary } from './written';

/**
 * The question and the answers as text for an email or an issue.
 *
 * @param most maximum number of labels per answer
 */
export function answersText(view: PlaygroundView, question: string, most: number): string {
  const answers = columnsOf(view).flatMap((c) => {
    const text = answerText(c, most);
    return text === undefined ? [] : [`${nameOf(c)}\n${text}`];
  });
  return [question, ...answers].filter(Boolean).join('\n\n');
}

function answerText({ subject, answer }: Column, most: number): string | undefined {
  const { prediction, text, generated } = answer ?? {};
  if (text !== undefined)
    return [text.trimStart(), generated && `(${summary(generated)})`].filter(Boolean).join('\n');
  if (!prediction) return undefined;
  const labels = subject.facts!.labels;
  const lines = ranked(prediction)
    .slice(0, most)
    .map((i) => `${cautiousPercent(prediction.probabilities[i])}\t${labels[i]}`);
  const facts = [latency(prediction.seconds)];
  if (prediction.tokens !== undefined) facts.push(tokens(prediction.tokens));
  if (prediction.truncated) facts.push(t('the text was cut'));
  return `${lines.join('\n')}\n(${facts.join(', ')})`;
}
