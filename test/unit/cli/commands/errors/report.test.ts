import { describe, expect, it } from 'vitest';
import { errorsText } from '../../../../../src/cli/commands/errors-report';
import { predictions, spanPredictions } from '../../../protocol/columns';

/** The lines below a heading, as cells. */
const part = (text: string, heading: string): string[][] =>
  text
    .slice(text.indexOf(`${heading}\n`))
    .split('\n\n')[0]
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/ {2,}/));

describe('the errors in a terminal', () => {
  const spans = spanPredictions([
    { text: '=[Anna Miller PER] ran to =[Oslo LOC]' },
    { text: '-[Rio LOC] and +[Bonn PER], +[the PER] =[sea LOC]', tokens: 30, cut: true },
    { text: 'nothing here' },
    { text: '-[Acme ORG] of \u001b[2Jnothing', tokens: 30 },
  ]);
  const text = errorsText(spans, '/run/predictions/step-000120.json', 4);

  it('of spans start with the texts that are right as a whole and the metrics', () =>
    expect(text.split('\n')[0]).toBe(
      'Step 120: 2 of 4 validation examples are right · loss 0.5000 · entity F1 75.0% · entity precision 80.0% · entity recall 70.6% · tag accuracy 90.0%',
    ));

  it('of spans are shown by type, worst first', () =>
    expect(part(text, 'By type, worst first')).toEqual([
      ['type', 'found', 'missed', 'spurious', 'precision', 'recall', 'F1'],
      ['ORG', '0', '1', '0', '–', '0%', '0%'],
      ['PER', '1', '0', '2', '33.3%', '100%', '50.0%'],
      ['LOC', '2', '1', '0', '100%', '66.7%', '80.0%'],
    ]));

  it('of spans are shown by length', () => {
    const rows = part(text, 'By length').slice(1);
    expect(rows.map(([bin, texts, accuracy]) => [bin, texts, accuracy])).toEqual([
      ['8 to 29', '2', '100%'],
      ['30', '2', '0%'],
    ]);
    expect(rows.map((r) => r.at(-1) === '1 truncated')).toEqual([false, true]);
  });

  it('of spans list each span of the most informative texts, without control characters', () => {
    const lines = text.split('\n').filter((line) => line.includes('line '));
    expect(lines).toEqual([
      '  line 2: missed LOC Rio; spurious PER Bonn; spurious PER the; found LOC sea',
      '  line 4: missed ORG Acme',
      '  line 3: no span, and none predicted',
      '  line 1: found PER Anna Miller; found LOC Oslo',
    ]);
    expect(text).toContain('Acme of \\u001b[2Jnothing');
    expect(text).not.toContain('\u001b');
  });

  it('of spans have types without a text, if none is stored', () => {
    const without = errorsText({ ...spans, excerpts: [] }, 'f.json', 1);
    expect(without).toContain('  line 2: missed LOC; spurious PER; spurious PER; found LOC\n');
  });

  it('of labels are shown by pair and by label', () => {
    const labels = predictions([
      { label: 0, shares: [0.9, 0.1] },
      { label: 0, shares: [0.2, 0.8] },
      { label: 1, shares: [0.4, 0.6] },
    ]);
    const found = errorsText(labels, 'f.json', 1);
    expect(found).toContain('Step 120: 2 of 3 validation examples are right · loss 0.5000 · accuracy 75.0%');
    const absentLabels = { labels: [{ label: 'tail', predicted: 1 }], macroF1: 0.9 };
    const metrics = { ...labels.metrics, macroF1: 0.6, absentLabels };
    expect(errorsText({ ...labels, metrics }, 'f.json', 1)).toContain(
      'No example has the label "tail", which was predicted once. Its F1 is 0, which makes macro F1,',
    );
    expect(found).not.toContain('By type');
    expect(part(found, 'Most confused')[1]).toEqual(['label 0', 'label 1', '1', '50.0%']);
    expect(part(found, 'By label, worst first').map(([label]) => label)).toEqual([
      'label',
      'label 0',
      'label 1',
    ]);
  });
});
