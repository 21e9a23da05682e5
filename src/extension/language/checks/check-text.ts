import type { LocatedProblem } from '../../../runs/experiment/load';
import { ignoredSettings } from '../../../experiment/ignored-settings';
import { keyPath, type ExperimentText, type Span } from '../../../runs/experiment/experiment-text';
import type { Finding, Fix } from '../finding';
import { schemaFixes } from '../schema-walk';
import { capital } from '../../../base/text';
import { t } from '../../../base/l10n';

/**
 * Everything in the text itself that training refuses, except for syntax errors, which VS Code's JSON service reports while the
 * file is open. That service gets a schema that accepts everything: it would show errors as warnings, in its own words.
 */
export const textFindings = (
  doc: ExperimentText,
  problems: readonly LocatedProblem[],
  method: string,
): Finding[] =>
  problems
    .filter(({ from }) => from !== 'syntax')
    .map((problem) => {
      const { path, from, atKey, offset } = problem;
      const error = { severity: 'error' as const, message: sentence(problem) };
      if (from === 'content') return { ...error, offset, length: 1, code: 'not-readable', fixes: [] };
      if (from === 'duplicate') return { ...error, ...keyAt(doc, offset), code: 'duplicate-key', fixes: [] };
      const fixes = schemaFixes(doc, problem, method);
      if (atKey) {
        const code = from === 'schema' ? 'key-unknown' : 'key-not-allowed';
        return { ...error, ...keyAt(doc, offset), code, fixes };
      }
      const span = doc.span(...path);
      return from === 'schema'
        ? { ...error, ...span, code: 'value-not-allowed', fixes }
        : {
            ...error,
            ...span,
            code: 'values-conflict',
            fixes: [...fixes, ...ruleFixes(doc, path.join('.'))],
          };
    });

/** Settings without effect, each at its key. */
export const ignoredFindings = (doc: ExperimentText): Finding[] =>
  ignoredSettings(doc.value()).map(({ path, message }) => ({
    ...doc.keySpan(doc.node(...path)!),
    severity: 'information',
    code: 'setting-ignored',
    message,
    fixes: [],
  }));

/** Syntax errors, for a closed file, on which VS Code's JSON service reports nothing. */
export const syntaxFindings = (problems: readonly LocatedProblem[]): Finding[] =>
  problems
    .filter(({ from }) => from === 'syntax')
    .map((problem) => ({
      offset: problem.offset,
      length: 1,
      severity: 'error',
      code: 'syntax',
      message: sentence(problem),
      fixes: [],
    }));

/** Keys keep their case at the start of a sentence. */
function sentence({ path, message }: LocatedProblem): string {
  const key = keyPath(path);
  const text = key !== '' && message.startsWith(key) ? message : capital(message);
  return /[.?]$/.test(text) ? text : `${text}.`;
}

function ruleFixes(doc: ExperimentText, key: string): Fix[] {
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
