import { describe, expect, it } from 'vitest';
import { editorHint } from '../../../../src/extension/words/error-text';
import { parsePreflightLine, preflightMarkdown } from '../../../../src/tools/preflight-lines';
import type { PreflightData, PreflightLine, PreflightSplit } from '../../../../src/protocol/preflight';
import {
  addPreflightLine,
  partsOfPreflight,
  preflightReport,
  preflightSummary,
  type PreflightLines,
} from '../../../../src/protocol/reports/preflight-report';

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

const data = LINES[1] as PreflightData;

function report(...lines: PreflightLine[]) {
  const made: PreflightLines = { steps: [], problems: [] };
  const said = lines.map((l) => addPreflightLine(made, parsePreflightLine(JSON.stringify(l), editorHint)!));
  return { made, said, parts: preflightReport('demo', made).parts };
}

/** The rows of all tables in the section on data. */
const rowsOf = (d: PreflightData) =>
  partsOfPreflight(d, { steps: [], problems: [] }).flatMap((part) =>
    typeof part === 'object' && 'rows' in part ? part.rows : [],
  );

describe('a preflight', () => {
  it('reports each stage as it is reached', () => {
    const reading: PreflightLine = { kind: 'reading', file: 'train.jsonl', percent: 43 };
    expect(report(reading, ...LINES).said).toEqual([
      'Reading train.jsonl: 43%',
      '1 module gets an adapter; reading the data…',
      '1,000 examples read; opening the model…',
      'Looking for the fastest device: ONNX Runtime on cpu, ONNX Runtime on webgpu…',
      'ONNX Runtime on webgpu: warming up with the longest examples…',
      'Measuring 1 step…',
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
    expect(preflightSummary(report(estimate).made)).toBe(words);
  });

  it('ignores unknown lines', () => {
    for (const line of ['', 'word', 'null', '3', '{}', '{"kind":"newer"}'])
      expect(parsePreflightLine(line, editorHint)).toBeUndefined();
    expect(preflightSummary(report().made)).toBeUndefined();
  });

  it('has the result and the problems first, then modules, data and steps', () => {
    const { parts } = report(...LINES);
    expect(parts[0]).toEqual({ verdict: '0.62 s/step on webgpu · 14 min · 910 MB' });
    expect(parts).toContain(
      'Device: ONNX Runtime on webgpu, the fastest on this machine (cpu: 0.90 s/step; webgpu: 45 ms/step; cuda: no NVIDIA card).',
    );
    expect(
      parts.flatMap((part) => (typeof part === 'object' && 'heading' in part ? part.heading : [])),
    ).toEqual(['Problems', 'Modules', 'Data', 'Measured steps']);
    expect(parts).toContain(
      '1 of 74 linear layers get an adapter (AuroRA): 2,580 trainable parameters, 0.258% of the model’s 1,000,000.',
    );
    expect(parts).toContain('These entries matched nothing: `vlaue`.');
    expect(parts).toContainEqual({
      columns: [{ code: 'module' }, { number: 'out × in' }, { number: 'rank' }, { number: 'trainable' }],
      rows: [['layer.0.query', '512 × 768', '2', '2,580']],
    });
    expect(rowsOf(data)).toContainEqual(['truncated to model.maxLength', '123 (12.3%)', '0 (0%)']);
    expect(parts).toContainEqual({
      list: [
        '2 validation examples (0.2%) also occur in the training data; lines of v.csv and train.csv: 7 = 4.',
        '5 training rows repeat an earlier example.',
        'No training example occurs with different labels.',
      ],
    });
    // Every row of a table has a cell for each column.
    for (const part of parts)
      if (typeof part === 'object' && 'rows' in part)
        for (const row of part.rows) expect(row).toHaveLength(part.columns.length);
  });

  it('says how many examples of a batch run at once', () => {
    const estimate = LINES[6] as Extract<PreflightLine, { kind: 'estimate' }>;
    const microBatch = { examples: 2, of: 32, length: 128 };
    expect(report({ ...estimate, microBatch }).parts).toContain(
      '2 of a batch’s 32 examples (128 tokens) run at a time, with the same result.',
    );
  });

  it('prints in a terminal what each line completes', () => {
    const { made } = report(...LINES);
    const [, , measuring, device, step, , estimate, problem] = LINES.map((line) =>
      partsOfPreflight(line, made),
    );
    expect([measuring, step]).toEqual([[], []]);
    expect(device).toEqual([
      { verdict: expect.stringContaining('Device: ONNX Runtime on webgpu') as string },
    ]);
    expect(estimate.map((part) => (typeof part === 'object' ? Object.keys(part)[0] : 'text'))).toEqual([
      ...['heading', 'columns', 'verdict', 'text'],
    ]);
    expect(problem).toEqual([{ problems: [LINES[7]] }]);
  });

  it('links the rows that show a problem, in text files', () => {
    const places = [
      { file: '/d a/train (1).csv', row: 224 },
      { file: '/d/train.parquet', row: 3 },
      { file: '/d/train.csv.gz', row: 4 },
    ];
    const problem: PreflightLine = { kind: 'problem', severity: 'error', message: 'A row is bad.', places };
    expect(preflightMarkdown('demo', report(problem).made)).toContain(
      '- **Error**: A row is bad. ([train (1).csv:224](<file:///d%20a/train%20(1).csv#L224>))',
    );
  });

  it('names no option of the terminal in the editor', () => {
    const hint = 'Use the CPU: --device cpu';
    const problem: PreflightLine = { kind: 'problem', severity: 'error', message: 'It failed.', hint };
    expect(preflightMarkdown('demo', report(problem).made)).toContain(
      'Use the CPU: the setting aurora.device',
    );
  });

  it('states how the quotes of TSV files are read', () => {
    const said = (train?: 'csv' | 'text', validation?: 'csv' | 'text') =>
      rowsOf({
        ...data,
        train: { ...data.train, ...(train && { quotes: train }) },
        validation: { ...data.validation, ...(validation && { quotes: validation }) },
      }).find(([name]) => name === 'quotes');
    expect(said('text', 'csv')).toEqual(['quotes', 'as text (the file is not quoted)', 'as in CSV']);
    expect(said(undefined, 'text')).toEqual(['quotes', '–', 'as text (the file is not quoted)']);
    expect(said()).toBeUndefined();
  });

  it('says which share of the tokens of a language model counts, and where nothing does', () => {
    const of = (s: PreflightSplit, more: Partial<PreflightSplit>): PreflightSplit => ({
      ...s,
      labels: {},
      ...more,
    });
    const line = {
      ...data,
      labels: [],
      train: of(data.train, { targets: 8670, withoutTargets: 3 }),
      validation: of(data.validation, { targets: 25_500 }),
    };
    expect(rowsOf(line)).toEqual(
      expect.arrayContaining([
        ['tokens to predict', '8,670', '25,500'],
        // 1,000 texts of 25.5 tokens.
        ['share of all tokens', '34.0%', '100%'],
        ['rows without any', '3', '0'],
      ]),
    );
    expect(partsOfPreflight(line, { steps: [], problems: [] })).toContain(
      'Show Tokens, or `aurora tokens FILE --row N`, shows which tokens of a row count in the loss.',
    );
  });

  it('reports how numbers are distributed, in place of labels', () => {
    const numbers = { min: -0.5, median: 2.75, max: 1234.5, mean: 2.61234, deviation: 1.5 };
    const of = (s: PreflightSplit): PreflightSplit => ({ ...s, labels: {}, numbers });
    const conflicts = { count: 1, first: [{ lines: [3, 9], labels: ['1', '2.5'] }] };
    const line = {
      ...data,
      train: of(data.train),
      validation: of(data.validation),
      labels: ['score'],
      duplicates: { ...data.duplicates, conflicts },
    } as PreflightData;
    const rows = rowsOf(line);
    expect(rows).toContainEqual(['smallest', '-0.5', '-0.5']);
    expect(rows).toContainEqual(['largest', '1,235', '1,235']);
    expect(rows).toContainEqual(['mean', '2.612', '2.612']);
    expect(rows.some(([name]) => name === 'score')).toBe(false);
    expect(report(line).parts).toContainEqual({
      list: expect.arrayContaining([
        '1 training examples have more than one number; lines 3 (1), 9 (2.5).',
      ]) as string[],
    });
  });

  it('counts labels, the most frequent first, and several of a text as shares of the texts', () => {
    expect(rowsOf({ ...data, labels: ['c', 'a|b'] }).slice(-2)).toEqual([
      ['a|b', '900 (90.0%)', '900 (90.0%)'],
      ['c', '100 (10.0%)', '100 (10.0%)'],
    ]);
    const of = (s: PreflightSplit): PreflightSplit => ({ ...s, unlabeled: 50, labels: { a: 900, b: 300 } });
    const line = { ...data, train: of(data.train), validation: of(data.validation), labels: ['a', 'b'] };
    expect(rowsOf(line).slice(-3)).toEqual([
      ['(none)', '50 (5.0%)', '50 (5.0%)'],
      ['a', '900 (90.0%)', '900 (90.0%)'],
      ['b', '300 (30.0%)', '300 (30.0%)'],
    ]);
    expect(report(line).parts).toContain(
      'An example can have several labels, so these shares can add up to more than 100%.',
    );
  });

  it('that was stopped early reports what it has', () => {
    const { parts } = report(LINES[0]);
    expect(parts).toContainEqual({ heading: 'Modules' });
    expect(parts).not.toContainEqual({ heading: 'Data' });
  });
});
