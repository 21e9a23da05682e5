import { isMetric } from '../../experiment/metrics';
import { EXPORT_FORMS, type ExportForm, type ExportRecord, MERGES } from '../../protocol/export';

/** Parses an export.json; undefined if it is not a known one. */
export function parseRecord(value: unknown): ExportRecord | undefined {
  const record = value as Partial<ExportRecord> | null;
  const known =
    record?.program === 'aurora-lab' &&
    EXPORT_FORMS.includes(record.form as ExportForm) &&
    typeof record.step === 'number' &&
    (record.merge === undefined || MERGES.includes(record.merge)) &&
    typeof record.metrics?.exported?.loss === 'number' &&
    isMetric(record.drop?.metric);
  return known ? (record as ExportRecord) : undefined;
}
