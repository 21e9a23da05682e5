import { t } from '../base/l10n';
import { count } from '../base/number-text';
import type { CombinationRecord } from './combination-record';
import type { EvaluationMetrics } from './events';
import type { FitProgress } from './linear-fit';
import type { PreflightProblem } from './preflight';

/** The output of `aurora combine --json`, one JSON object per line. Readers ignore unknown kinds. */
export type CombineLine =
  | { kind: 'preparing' }
  | { kind: 'reading'; adapter: string; done: number; of: number }
  | FitProgress
  /** Modules. */
  | { kind: 'combining'; done: number; of: number }
  | { kind: 'measuring' }
  | {
      kind: 'result';
      run: string;
      metrics: EvaluationMetrics;
      warnings: string[];
      record: CombinationRecord;
      kept?: number;
    }
  | PreflightProblem;

/** The progress text; undefined if there is nothing new. */
export function combineProgress(line: CombineLine): string | undefined {
  switch (line.kind) {
    case 'preparing':
      return t('Reading the adapters…');
    case 'reading':
      return t('Reading {0} ({1} of {2})…', line.adapter, line.done + 1, line.of);
    case 'fitting':
      return t('Fitting the nonlinearity: {0} of {1} tokens…', count(line.done), count(line.of));
    case 'combining':
      return t('Combining: {0} of {1} modules…', line.done, line.of);
    case 'measuring':
      return t('Measuring on the validation examples…');
    default:
      return undefined;
  }
}
