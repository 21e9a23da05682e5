import { describe, expect, it } from 'vitest';
import { answersText, loadedText } from '../../../../../src/cli/commands/play/play-report';
import type { PlayFacts, PlayLine } from '../../../../../src/protocol/playground';

type Prediction = Extract<PlayLine, { kind: 'prediction' }>;

const facts = (answer: PlayFacts['answer']): PlayFacts => ({
  input: 'text',
  answer,
  name: 'ner · 0a1b',
  labels: ['a', 'b', 'c', 'd'],
  step: 120,
  form: 'dynamic',
  base: 'model-with-head',
  samples: true,
  assumed: [],
});
const common = {
  kind: 'prediction',
  request: 1,
  subject: '1',
  variant: 'adapted',
  seconds: 0.0021,
  tokens: 7,
  truncated: false,
} as const;
const told = (answer: PlayFacts['answer'], question: string, ...answers: Prediction[]) =>
  answersText(answers, new Map([['1', facts(answer)]]), question)
    .trimEnd()
    .split('\n')
    .map((line) => line.trim().split(/ {2,}/));

describe('the playground in a terminal', () => {
  it('shows the kind of answer of what was loaded', () => {
    expect(loadedText(facts('spans'))).toBe('ner · 0a1b, step 120: finds spans in a text.\n');
    expect(loadedText(facts('label'))).toBe('ner · 0a1b, step 120: classifies texts into 4 labels.\n');
  });

  it('shows each span with its words, its type and its probability', () => {
    const spans = [
      { start: 0, end: 11, label: 'PER', probability: 0.987 },
      { start: 19, end: 24, label: 'LOC', probability: 0.5 },
    ];
    const rows = told(
      'spans',
      'Anna Miller is in O\u001bslo',
      { ...common, spans: [spans[0], { ...spans[1], start: 18, end: 23 }] },
      { ...common, variant: 'base', spans: [], truncated: true },
    );
    expect(rows.map((r) => r.slice(0, 2))).toEqual([
      ['ner · 0a1b, step 120', 'Anna Miller (PER 98.7%), O\\u001bslo (LOC 50.0%)'],
      ['base model with this run’s head', 'no span'],
    ]);
    expect(rows.map((r) => r.slice(3))).toEqual([['7 tokens'], ['7 tokens', 'truncated']]);
  });

  it('shows the three most likely labels', () => {
    const [row] = told('label', 'x', { ...common, probabilities: [0.1, 0.6, 0.05, 0.25], tokens: 1 });
    expect(row.slice(0, 4)).toEqual(['ner · 0a1b, step 120', 'b 60.0%', 'd 25.0%', 'a 10.0%']);
    expect(row.at(-1)).toBe('1 token');
  });
});
