import { describe, expect, it } from 'vitest';
import {
  dropQuestion,
  parseExportLine,
  parseRecord,
  progressText,
  resultText,
  formName,
  formWords,
} from '../../../../src/extension/words/export-text';
import { exportRow } from '../../../../src/extension/tree/artifacts';
import { EXPORT_FORMS } from '../../../../src/protocol/export';
import { exportRecord } from '../transfer/record';

describe('the texts of an export', () => {
  it('say what is being measured', () => {
    const line = parseExportLine('{"kind":"measuring","what":"static","examples":24}')!;
    expect(progressText(line)).toBe('Measuring the static form on 24 examples…');
    expect(parseExportLine('{"kind":"newer"}')).toBeUndefined();
    expect(parseExportLine('no JSON')).toBeUndefined();
  });

  it('ask with both metrics and the loss of accuracy', () => {
    const { metrics, drop } = exportRecord();
    const asked = dropQuestion('onnx-merged', { kind: 'ask', metrics, drop, limit: 1 });
    expect(asked.question).toBe('Merged ONNX model: accuracy changes from 75.0% to 50.0%. Export anyway?');
    expect(asked.detail).toMatch(
      /Here, accuracy falls by 25 points; confirmation is required above 1 point\./,
    );
    const perplexity = { metric: 'perplexity', loss: 1.88 } as const;
    const relative = dropQuestion('peft-lora', { kind: 'ask', metrics, drop: perplexity, limit: 1 });
    expect(relative.detail).toContain('Here, perplexity rises by 1.88%; confirmation is required above 1%.');
  });

  it('give the result beside the trained metric', () => {
    expect(resultText(exportRecord())).toBe(
      'Merged ONNX model exported: accuracy 50.0% on the validation data, 75.0% as trained.',
    );
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
