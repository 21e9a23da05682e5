import { errorText } from '../../../base/number-text';
import { passed, type Comparison, type Finding } from './compare';

/** `ok  bert-aurora.json  loss 1.2e-7 · logits 3.1e-7 · …`: the worst error of each kind, in the tolerance's unit. */
export function summaryLine(name: string, report: Comparison): string {
  const parts = worstOf(report).map((f) => `${f.kind} ${f.problem ? 'missing' : errorText(f.error)}`);
  return `${failures(report).length ? 'FAIL' : 'ok  '} ${name.padEnd(28)} ${parts.join(' · ')}`;
}

/** For programs: the same of one file, and every field that fails. An error that is not finite is null. */
export const fileJson = (file: string, report: Comparison) => ({
  kind: 'file',
  file,
  agrees: failures(report).length === 0,
  worst: worstOf(report),
  failures: failures(report),
});

/** The worst finding of each kind. */
function worstOf({ findings }: Comparison): Finding[] {
  const kinds = new Map<string, Finding>();
  for (const f of findings) {
    const worst = kinds.get(f.kind);
    if (!worst || badness(f) > badness(worst)) kinds.set(f.kind, f);
  }
  return [...kinds.values()];
}

export const failures = (report: Comparison): Finding[] => report.findings.filter((f) => !passed(f));

export const describeFailure = (f: Finding): string =>
  `     ${f.field}: ${f.problem ?? `error ${errorText(f.error)}, tolerance ${errorText(f.tolerance)}`}`;

const badness = (f: Finding): number => (f.problem ? Infinity : f.error / f.tolerance);
