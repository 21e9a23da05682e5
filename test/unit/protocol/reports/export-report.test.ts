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
  it('say what is being measured', () => {
    expect(exportProgress({ kind: 'measuring', what: 'static', examples: 2400 })).toBe(
      'Measuring the static form on 2,400 examples…',
    );
  });

  it('ask with both metrics and the loss of accuracy', () => {
    const { metrics, drop } = exportRecord();
    const asked = { metrics, drop, limit: 1 };
    expect(dropText('onnx-merged', asked)).toBe('Merged ONNX model: accuracy changes from 75.0% to 50.0%.');
    expect(dropReason(asked)).toMatch(
      /^AuroRA’s layer is not linear.* Here, accuracy falls by 25 points; confirmation is required above 1 point\./,
    );
    const perplexity = { metric: 'perplexity', loss: 1.88 } as const;
    expect(dropReason({ ...asked, drop: perplexity })).toContain(
      'Here, perplexity rises by 1.88%; confirmation is required above 1%.',
    );
    // A LoRA has one form only, so its loss has another reason.
    const lora = { ...metrics, static: metrics.dynamic };
    expect(dropReason({ ...asked, metrics: lora })).toMatch(/^Quantizing the merged weights again changes/);
  });

  it('give the result beside the trained metric', () => {
    expect(exportSummary(exportRecord())).toBe(
      'Merged ONNX model exported: accuracy 50.0% on the validation data, 75.0% as trained.',
    );
  });

  it('list the metrics of each form, in the terminal and in the card', () => {
    const record = exportRecord();
    const names = (of: typeof record, trained?: string) =>
      exportMetrics(of, trained).rows.map(([name]) => name);
    expect(names(record)).toEqual(['dynamic (as trained)', 'static, merged', 'these files (onnx-merged)']);
    const inputs = { changed: ['The model m.onnx has changed.'], notes: [] };
    expect(names({ ...record, inputs })[0]).toBe('dynamic (on changed files)');
    const lora = { ...record, metrics: { ...record.metrics, static: record.metrics.dynamic } };
    expect(names(lora, 'as imported')).toEqual(['as imported', 'these files (onnx-merged)']);
    for (const { columns, rows } of [exportMetrics(record)])
      for (const row of rows) expect(row).toHaveLength(columns.length);
  });

  it('say how the files differ from the trained model', () => {
    const record = exportRecord();
    const said = (more: Partial<typeof record>) =>
      exportParts({ ...record, ...more }).filter((p) => typeof p === 'string');
    expect(said({})).toEqual([
      'Merging AuroRA changes its function, because its layer is not linear: here, accuracy falls by 25 points.',
      'The logits of these files match those of the form that they contain to within 1e-6.',
    ]);
    expect(said({ form: 'onnx-dynamic', largestDifference: 0 })).toEqual([
      'The logits of these files are identical to those of the form that they contain.',
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
    expect(row).toMatchObject({ label: 'Merged ONNX model', description: '50.0% accuracy · step 40' });
    expect(row.capabilities).toEqual(['export', 'canOpenCard', 'canReveal']);
  });

  it('name and describe each form, with a warning where AuroRA is merged', () => {
    expect(new Set(EXPORT_FORMS.map((f) => formName(f))).size).toBe(EXPORT_FORMS.length);
    const warned = EXPORT_FORMS.filter((f) => formWords(f, true) !== formWords(f, false));
    expect(warned).toEqual(['peft-lora', 'onnx-merged', 'safetensors']);
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
    ['a form of a newer version', { ...exportRecord(), form: 'gguf' }],
    ['no metrics', { ...exportRecord(), metrics: undefined }],
    ['a metric of a newer version', { ...exportRecord(), drop: { metric: 'bleu', loss: 1 } }],
  ])('is ignored if it is %s', (_, value) => expect(parseRecord(value)).toBeUndefined());
});
