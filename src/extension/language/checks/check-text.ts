import type { LocatedProblem } from '../../../runs/experiment/load';
import { meantKey } from '../../../runs/experiment/meant-key';
import type { Translate } from '../../translate';
import type { ExperimentText } from '../experiment-text';
import type { Finding, Fix, Span } from '../finding';
import { knownKeys } from '../schema-walk';
import { capital } from '../../../base/capital';

/**
 * What JSON and the schema accept but training refuses: an empty file, nesting that is too deep, duplicate or forbidden
 * keys, and values that are valid alone but not together. VS Code's JSON service reports syntax and schema errors.
 */
export function textFindings(
  doc: ExperimentText,
  problems: readonly LocatedProblem[],
  method: string,
  t: Translate,
): Finding[] {
  return problems.flatMap((problem): Finding[] => {
    const { path, from, atKey, offset } = problem;
    if (from === 'schema' && atKey) return didYouMean(doc, problem, method, t);
    if (from === 'syntax' || from === 'schema') return [];
    const message = t('{0}; the trainer rejects the experiment.', capital(problem.message));
    const error = { severity: 'error' as const, message, fixes: [] };
    if (from === 'content') return [{ ...error, offset, length: 1, code: 'not-readable' }];
    if (from === 'duplicate') return [{ ...error, ...keyAt(doc, offset), code: 'duplicate-key' }];
    if (atKey) return [{ ...error, ...keyAt(doc, offset), code: 'key-not-allowed' }];
    const fixes = ruleFixes(doc, path.join('.'), t);
    return [{ ...doc.span(...path), severity: 'error', code: 'values-conflict', message, fixes }];
  });
}

/** VS Code's JSON service says that a key is not allowed, but not which one was meant. */
function didYouMean(
  doc: ExperimentText,
  { path, offset }: LocatedProblem,
  method: string,
  t: Translate,
): Finding[] {
  const meant = meantKey(String(path.at(-1)), knownKeys(path.slice(0, -1), method));
  if (meant === undefined) return [];
  const message = t('Did you mean "{0}"?', meant);
  return [{ ...keyAt(doc, offset), severity: 'information', code: 'key-misspelt', message, fixes: [] }];
}

function ruleFixes(doc: ExperimentText, key: string, t: Translate): Fix[] {
  const node = doc.node(...key.split('.'));
  if (!node) return [];
  const at: Span = { offset: node.offset, length: node.length };
  if (key === 'adapter.gridRange' && node.children?.length === 2) {
    const [low, high] = node.children.map((c) => c.value as number);
    if (low > high) return [{ ...at, title: t('Swap the two ends'), text: `[${high}, ${low}]` }];
  }
  if (key === 'adapter.learnable') return [{ ...at, title: t('Set learnable to true'), text: 'true' }];
  if (key === 'task.head')
    return [{ ...at, title: t('Train a linear head'), text: '"linear"', preferred: true }];
  return [];
}

/** The quoted key that starts at `offset`. */
function keyAt({ text }: ExperimentText, offset: number): Span {
  const key = /^"(?:[^"\\]|\\.)*"/.exec(text.slice(offset));
  return { offset, length: key?.[0].length ?? 1 };
}
