import { describe, expect, it } from 'vitest';
import {
  addLine,
  parsePreflightLine,
  reportMarkdown,
  summaryLine,
  type PreflightReport,
} from '../../../../src/extension/preflight/report';
import type { PreflightLine, PreflightSplit } from '../../../../src/protocol/preflight';

const split = (path: string, truncated: number): PreflightSplit => ({
  path,
  examples: 1000,
  labels: { 'a|b': 900, c: 100 },
  tokens: { min: 3, median: 20, mean: 25.5, p90: 60, p99: 120, max: 128 },
  truncated,
  badRows: { count: 0, first: [] },
});
const LINES: PreflightLine[] = [
  {
    kind: 'modules',
    method: 'aurora',
    modules: [{ path: 'layer.0.query', inFeatures: 768, outFeatures: 512, rank: 2, parameters: 2580 }],
    unmatched: ['vlaue'],
    leftOut: [{ path: 'pooler.dense', why: 'unreached' }],
    linearLayers: 74,
    adapterParameters: 2580,
    modelParameters: 1_000_000,
  },
  {
    kind: 'data',
    train: split('/d/train.csv', 123),
    validation: split('/d/v.csv', 0),
    labels: ['a|b', 'c'],
    duplicates: {
      acrossSplits: { count: 2, first: [{ train: 4, validation: 7 }] },
      withinTrain: 5,
      conflicts: { count: 0, first: [] },
    },
  },
  { kind: 'measuring', places: ['cpu', 'webgpu'].map((device) => ({ engine: 'onnxruntime', device })) },
  {
    kind: 'device',
    engine: 'onnxruntime',
    device: 'webgpu',
    reason: 'fastest',
    tried: [
      { engine: 'onnxruntime', device: 'cpu', secondsPerStep: 0.9 },
      { engine: 'onnxruntime', device: 'webgpu', secondsPerStep: 0.045 },
      { engine: 'onnxruntime', device: 'cuda', problem: 'no NVIDIA card' },
    ],
  },
  { kind: 'step', step: 0, of: 1, loss: 1.2, seconds: 2, examples: 32, tokens: 4096, memoryBytes: 9e8 },
  { kind: 'step', step: 1, of: 1, loss: 1.1, seconds: 0.62, examples: 32, tokens: 900, memoryBytes: 9e8 },
  {
    kind: 'estimate',
    secondsPerStep: 0.62,
    steps: 1350,
    evaluations: 3,
    minutes: 14.2,
    otherMinutes: 0.5,
    memoryBytes: 9.1e8,
    trainable: 4000,
  },
  {
    kind: 'problem',
    severity: 'warning',
    message: 'Two texts <b>leak</b>.',
    hint: 'Remove them.',
    key: 'data.validation',
  },
];

it('a preflight says which large file is being read', () => {
  const line = parsePreflightLine('{"kind":"reading","file":"train.jsonl","percent":43}')!;
  expect(addLine({ steps: [], problems: [] }, line)).toBe('Reading train.jsonl: 43%');
});

function report(lines: readonly PreflightLine[] = LINES) {
  const made: PreflightReport = { steps: [], problems: [] };
  const said = lines.map((l) => addLine(made, parsePreflightLine(JSON.stringify(l))!));
  return { made, said };
}

describe('a preflight', () => {
  it('reports each stage as it is reached', () => {
    expect(report().said).toEqual([
      '1 module gets an adapter; reading the data…',
      '1000 examples read; opening the model…',
      'Looking for the fastest device: ONNX Runtime on cpu, ONNX Runtime on webgpu…',
      'ONNX Runtime on webgpu, the fastest on this machine; warming up with the longest examples…',
      'Measuring 1 steps…',
      'Step 1 of 1: 0.62 s',
      undefined,
      undefined,
    ]);
  });

  it.each([
    [0.62, 14.2, 9.1e8, '0.62 s/step · 14 min · 910 MB'],
    [0.045, 0.3, 5e7, '45 ms/step · 18 s · 50.0 MB'],
    [0.0046, 0.001, 2.26e9, '4.6 ms/step · 1 s · 2.3 GB'],
    [12.6, 135, 3e10, '12.6 s/step · 2 h 15 min · 30.0 GB'],
  ])('with %d s, %d min and %d bytes is summed up', (secondsPerStep, minutes, memoryBytes, words) => {
    const estimate = {
      ...(LINES[6] as Extract<PreflightLine, { kind: 'estimate' }>),
      secondsPerStep,
      minutes,
      memoryBytes,
    };
    expect(summaryLine(report([estimate]).made)).toBe(words);
  });

  it('ignores unknown lines', () => {
    for (const line of ['', 'word', 'null', '3', '{}', '{"kind":"newer"}'])
      expect(parsePreflightLine(line)).toBeUndefined();
    expect(summaryLine(report([]).made)).toBeUndefined();
  });

  it('tells a note from a warning', () => {
    const note: PreflightLine = { kind: 'problem', severity: 'note', message: 'Texts are truncated.' };
    expect(reportMarkdown('demo', report([note]).made)).toContain('- Note: Texts are truncated.');
  });

  it('links the rows that show a problem, in text files', () => {
    const places = [
      { file: '/d a/train (1).csv', row: 224 },
      { file: '/d/train.parquet', row: 3 },
      { file: '/d/train.csv.gz', row: 4 },
    ];
    const problem: PreflightLine = { kind: 'problem', severity: 'error', message: 'A row is bad.', places };
    expect(reportMarkdown('demo', report([problem]).made)).toContain(
      '- **Error**: A row is bad. ([train \\(1\\).csv:224](<file:///d%20a/train%20(1).csv#L224>))',
    );
  });

  it('makes a report that treats names from files as plain text', () => {
    const text = reportMarkdown('demo', report().made);
    expect(text).toContain('**0.62 s/step on webgpu · 14 min · 910 MB**');
    expect(text).toContain(
      'Device: ONNX Runtime on webgpu, the fastest on this machine (cpu: 0.90 s/step; webgpu: 45 ms/step; cuda: no NVIDIA card).'.replace(
        /[()]/g,
        '\\$&',
      ),
    );
    expect(text).toContain('- Warning (`data.validation`): Two texts \\<b\\>leak\\</b\\>. Remove them.');
    expect(text).toContain('These entries matched nothing: `vlaue`.');
    expect(text).toContain('| `layer.0.query` | 512 × 768 | 2 | 2,580 |');
    expect(text).toContain('| a\\|b | 900 (90.0%) | 900 (90.0%) |');
    expect(text).toContain('| truncated to model.maxLength | 123 (12.3%) | 0 (0%) |');
    expect(text).toContain(
      '2 validation examples (0.2%) also occur in the training data; lines of v.csv and train.csv: 7 = 4.',
    );
    expect(text).toContain('| warm-up | 2.00 s |');
    // Every table row has as many cells as the header.
    const tables = text.split('\n\n').filter((b) => b.startsWith('|'));
    expect(tables).toHaveLength(4);
    for (const rows of tables.map((b) => b.trim().split('\n')))
      expect(new Set(rows.map((r) => r.replaceAll('\\|', '').split('|').length)).size).toBe(1);
  });

  it('states how the quotes of TSV files are read', () => {
    const data = LINES[1] as Extract<PreflightLine, { kind: 'data' }>;
    const said = (train?: 'csv' | 'text', validation?: 'csv' | 'text') =>
      reportMarkdown(
        'demo',
        report([
          {
            ...data,
            train: { ...data.train, ...(train && { quotes: train }) },
            validation: { ...data.validation, ...(validation && { quotes: validation }) },
          },
        ]).made,
      );
    expect(said('text', 'csv')).toContain(
      '| quotes | read as text (the file is not quoted) | read as in CSV |',
    );
    expect(said(undefined, 'text')).toContain('| quotes | – | read as text (the file is not quoted) |');
    expect(said()).not.toContain('quotes');
  });

  it('reports how numbers are distributed, in place of labels', () => {
    const numbers = { min: -0.5, median: 2.75, max: 1234.5, mean: 2.61234, deviation: 1.5 };
    const data = LINES[1] as Extract<PreflightLine, { kind: 'data' }>;
    const of = (s: PreflightSplit): PreflightSplit => ({ ...s, labels: {}, numbers });
    const conflicts = { count: 1, first: [{ lines: [3, 9], labels: ['1', '2.5'] }] };
    const text = reportMarkdown(
      'demo',
      report([
        {
          ...data,
          train: of(data.train),
          validation: of(data.validation),
          labels: ['score'],
          duplicates: { ...data.duplicates, conflicts },
        } as PreflightLine,
      ]).made,
    );
    expect(text).toContain('### Numbers');
    expect(text).toContain('| smallest | -0.5 | -0.5 |');
    expect(text).toContain('| largest | 1,235 | 1,235 |');
    expect(text).toContain('| mean | 2.612 | 2.612 |');
    expect(text).toContain('1 training examples have more than one number; lines 3 (1), 9 (2.5).');
    expect(text).not.toContain('### Labels');
  });

  it('counts several labels per text as shares of the texts', () => {
    const data = LINES[1] as Extract<PreflightLine, { kind: 'data' }>;
    const of = (s: PreflightSplit): PreflightSplit => ({ ...s, unlabeled: 50, labels: { a: 900, b: 300 } });
    const text = reportMarkdown(
      'demo',
      report([{ ...data, train: of(data.train), validation: of(data.validation), labels: ['a', 'b'] }]).made,
    );
    expect(text).toContain('An example can have several labels');
    expect(text).toContain('| a | 900 (90.0%) | 900 (90.0%) |\n| b | 300 (30.0%) | 300 (30.0%) |');
    expect(text).toContain('| *none* | 50 (5.0%) | 50 (5.0%) |');
    expect(text).toContain('No training example occurs with different labels.');
  });

  it('that was stopped early reports what it has', () => {
    const text = reportMarkdown('demo', report(LINES.slice(0, 1)).made);
    expect(text).toContain('## Modules');
    expect(text).not.toContain('## Data');
  });
});
