import { describe, expect, it } from 'vitest';
import { parseRecord } from '../../../../src/extension/transfer/export-record';
import { formName, formWords } from '../../../../src/protocol/export-forms';
import {
  dropReason,
  dropText,
  exportMetrics,
  exportParts,
  exportProgress,
  exportSummary,
} from '../../../../src/protocol/reports/export-report';
import { exportRow } from '../../../../src/extension/tree/artifacts';
import { EXPORT_FORMS } from '../../../../src/protocol/export';
import { exportRecord } from '../../extension/transfer/record';

describe('the texts of an export', () => {
  it('say what is being measured, and why something is not', () => {
    expect(exportProgress({ kind: 'measuring', what: 'paper', examples: 2400 })).toBe(
      'Measuring the paper’s merge on 2,400 examples…',
    );
    expect(exportProgress({ kind: 'fitting', done: 1024, of: 4096 })).toBe(
      'Fitting the nonlinearity: 1,024 of 4,096 tokens…',
    );
    expect(exportProgress({ kind: 'not-fitted', reason: 'train.jsonl does not exist.' })).toBe(
      'The linear fit was left out. train.jsonl does not exist.',
    );
  });

  it('ask with both metrics, the loss of accuracy and its reason', () => {
    const { metrics, drop } = exportRecord();
    const asked = { metrics, drop, limit: 1 };
    expect(dropText('onnx-merged', asked)).toBe('Merged ONNX model: accuracy changes from 75.0% to 50.0%.');
    expect(dropReason({ ...asked, merge: 'paper' })).toMatch(
      /^The paper’s merge computes another function .* Here, accuracy falls by 25 points; confirmation is required above 1 point\. The fitted form/,
    );
    expect(dropReason({ ...asked, merge: 'fitted' })).toMatch(
      /^AuroRA’s nonlinearity was replaced by its linear fit, which can be refined .* Here, .* 1 point\. An adapter, or/,
    );
    const refinement = { steps: 20, of: 20, best: 10, seconds: 3, evaluations: [] };
    expect(dropReason({ ...asked, merge: 'fitted', refinement })).toMatch(
      /^AuroRA’s nonlinearity was replaced by its linear fit, which was then trained further\. Here, /,
    );
    const perplexity = { metric: 'perplexity', loss: 1.88 } as const;
    expect(dropReason({ ...asked, drop: perplexity })).toContain(
      'Here, perplexity rises by 1.88%; confirmation is required above 1%.',
    );
    // A LoRA is merged exactly, so its loss has another reason.
    expect(dropReason(asked)).toMatch(/^Storing the merged weights in fewer bits changes/);
  });

  it('give the result beside the trained metric', () => {
    expect(exportSummary(exportRecord())).toBe(
      'Merged ONNX model exported: accuracy 50.0% on the validation data, 75.0% as trained.',
    );
  });

  it('list the metrics of each model, in the terminal and in the card', () => {
    const record = exportRecord();
    const names = (of: typeof record, trained?: string) =>
      exportMetrics(of, trained).rows.map(([name]) => name);
    expect(names(record)).toEqual([
      'as trained',
      'fitted',
      'the paper’s merge',
      'adapters removed',
      'these files (onnx-merged)',
    ]);
    const inputs = { changed: ['The model m.onnx has changed.'], notes: [] };
    expect(names({ ...record, inputs })[0]).toBe('on changed files');
    const { trained, removed, exported } = record.metrics;
    const lora = { ...record, merge: undefined, metrics: { trained, removed, exported } };
    expect(names(lora, 'as imported')).toEqual([
      'as imported',
      'adapters removed',
      'these files (onnx-merged)',
    ]);
    const { columns, rows } = exportMetrics(record);
    for (const row of rows) expect(row).toHaveLength(columns.length);
  });

  it('say how the files differ from the trained model', () => {
    const record = exportRecord();
    const said = (more: Partial<typeof record>) =>
      exportParts({ ...record, ...more }).filter((p) => typeof p === 'string');
    expect(said({})).toEqual([
      'The paper’s merge computes another function than AuroRA’s layer, which is not linear: here, accuracy falls by 25 points.',
      'The logits of these files match those of the model that they represent to within 1e-6.',
    ]);
    const fit = { tokens: 4096, seed: 1, layers: 24, withBias: 24 };
    const fitted = { merge: 'fitted', drop: { metric: 'accuracy', loss: 1 } } as const;
    expect(said({ ...fitted, fit }).slice(0, -1)).toEqual([
      'These files contain a linear fit of AuroRA’s nonlinearity, computed on at least 4,096 training tokens in each layer: here, accuracy falls by 1 point.',
    ]);
    expect(said({ ...fitted, fit: { ...fit, withBias: 0 } })[1]).toBe(
      'It has no biases, because the files have no place for them.',
    );
    expect(said({ ...fitted, fit: { ...fit, withBias: 20 } })[1]).toBe(
      '4 of 24 layers have no bias, because the files have no place for it.',
    );
    expect(said({ form: 'onnx-dynamic', merge: undefined, largestDifference: 0 })).toEqual([
      'The logits of these files are identical to those of the model that they represent.',
    ]);
    expect(said({ form: 'safetensors', head: 'BertForMaskedLM' }).at(-1)).toBe(
      'The trained head is in the model, as that of BertForMaskedLM.',
    );
    const inputs = { changed: ['The model m.onnx has changed.'], notes: [] };
    expect(exportParts({ ...record, inputs })[0]).toMatchObject({
      problems: [
        { message: inputs.changed[0] },
        { message: 'These files and metrics are not those of the trained model.' },
      ],
    });
  });

  it('form a row in the tree', () => {
    const row = exportRow(exportRecord());
    expect(row).toMatchObject({
      label: 'Merged ONNX model',
      description: '50.0% accuracy · step 40 · the paper’s merge',
    });
    expect(exportRow(exportRecord({ merge: undefined })).description).toBe('50.0% accuracy · step 40');
    expect(row.capabilities).toEqual(['export', 'canOpenCard', 'canReveal']);
  });

  it('name and describe each form, with a remark where AuroRA’s nonlinearity is replaced', () => {
    expect(new Set(EXPORT_FORMS.map((f) => formName(f))).size).toBe(EXPORT_FORMS.length);
    const warned = EXPORT_FORMS.filter((f) => formWords(f, true) !== formWords(f, false));
    expect(warned).toEqual(['peft-lora', 'kohya', 'onnx-merged', 'safetensors', 'gguf-lora', 'gguf']);
  });
});

describe('an export.json file', () => {
  it('is read as written', () => {
    const record = exportRecord();
    expect(parseRecord(JSON.parse(JSON.stringify(record)))).toEqual(record);
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['a list', []],
    ['another program', { ...exportRecord(), program: 'x' }],
    ['a form of a newer version', { ...exportRecord(), form: 'tflite' }],
    ['no metrics', { ...exportRecord(), metrics: undefined }],
    ['a merge of a newer version', { ...exportRecord(), merge: 'exact' }],
    ['a metric of a newer version', { ...exportRecord(), drop: { metric: 'bleu', loss: 1 } }],
  ])('is ignored if it is %s', (_, value) => expect(parseRecord(value)).toBeUndefined());
});
