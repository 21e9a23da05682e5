import { escapeControls } from '../../../base/controls';
import type { Generated, PlayFacts, PlayLine, PlayVariant } from '../../../protocol/playground';
import { count } from '../../format';
import { percent } from '../../../base/percent';
import { table } from '../../table';

type Prediction = Extract<PlayLine, { kind: 'prediction' }>;

/** Labels of an answer that a table shows. */
const SHOWN_LABELS = 3;

/** What a subject is called beside others. */
export function subjectName(facts: PlayFacts, variant: PlayVariant): string {
  if (variant === 'adapted')
    return facts.step === undefined ? facts.name : `${facts.name}, step ${facts.step}`;
  if (facts.base === 'model') return 'base model';
  return facts.step === undefined ? 'base model with this adapter’s head' : 'base model with this run’s head';
}

/** What was loaded and what was assumed of it; ends with a line break. */
export function loadedText(facts: PlayFacts): string {
  const what =
    facts.answer === 'text'
      ? 'writes on from a text'
      : `gives ${facts.labels.length} labels of ${facts.input}s`;
  const form = facts.form === 'static' ? ' in its static form' : '';
  const lines = [
    `${subjectName(facts, 'adapted')}${form}: ${what}.`,
    ...facts.assumed.map((a) => `note: ${a}`),
    '',
  ];
  return lines.map((line) => escapeControls(line)).join('\n');
}

/** Each answer's likeliest labels in a row; ends with a line break. */
export function answersText(answers: readonly Prediction[], facts: ReadonlyMap<string, PlayFacts>): string {
  const rows = answers.map((a) => {
    const of = facts.get(a.subject)!;
    const best = [...a.probabilities.keys()]
      .sort((x, y) => a.probabilities[y] - a.probabilities[x])
      .slice(0, SHOWN_LABELS);
    return [
      `  ${subjectName(of, a.variant)}`,
      ...best.map((i) => `${of.labels[i]} ${percent(a.probabilities[i])}`),
      milliseconds(a.seconds),
      a.tokens === undefined ? '' : `${count(a.tokens)} ${a.tokens === 1 ? 'token' : 'tokens'}`,
      a.truncated ? 'cut' : '',
    ];
  });
  return `${table(rows, '   ').join('\n')}\n`;
}

const ENDED: Record<Generated['ended'], string> = {
  end: 'ended by the model',
  length: 'as many as were asked for',
  full: 'as long a text as the model reads',
  stopped: 'stopped',
};

export const generatedText = (g: Generated): string =>
  `\n  ${count(g.tokens)} tokens, ${ENDED[g.ended]} · ${g.tokensPerSecond.toFixed(1)} tokens/s, the first after ${milliseconds(g.secondsToFirst)}\n`;

const milliseconds = (seconds: number): string => `${(1000 * seconds).toFixed(seconds < 0.01 ? 1 : 0)} ms`;
