import { getLocation, type JSONPath } from 'jsonc-parser';
import { t } from '../../base/l10n';
import { endingsOf } from '../../adapters/targets/endings';
import type { Column } from '../../table/head';
import { modelKind, modelPath } from '../../files/model-path';
import { withPatterns } from '../../files/pattern';
import type { Analysis } from './analysis';
import { fileKeys } from './checks/check-files';
import { columnFacts, headOf, namesColumn, setOf } from './data-columns';
import type { Span } from '../../runs/experiment/experiment-text';
import { isSweepKey, schemaAt, settingKeys } from './schema-walk';

export interface Suggestion {
  kind: 'file' | 'module' | 'column' | 'output' | 'setting';
  /** The value as written between the quotes. */
  value: string;
  /** Shown beside it in the list. */
  detail: string;
}

/** Completions at `offset` that no schema knows, and the range that they replace. */
export function suggestionsAt(
  analysis: Analysis,
  offset: number,
  known: readonly string[],
): { span: Span; quoted: boolean; suggestions: Suggestion[] } | undefined {
  const { text } = analysis.doc;
  if (!analysis.doc.root) return undefined;
  const { path, isAtPropertyKey, previousNode } = getLocation(text, offset);
  const inside =
    previousNode?.type === 'string' ||
    (previousNode?.type === 'property' && isAtPropertyKey) ||
    text[previousNode?.offset ?? -1] === '"';
  const within =
    inside &&
    previousNode &&
    offset > previousNode.offset &&
    offset <= previousNode.offset + previousNode.length;
  const suggestions = isAtPropertyKey
    ? keySuggestions(analysis, path)
    : valueSuggestions(analysis, path.map(String), known);
  if (suggestions.length === 0) return undefined;
  if (!within) return { span: { offset, length: 0 }, quoted: false, suggestions };
  const closed = previousNode.length > 1 && text[previousNode.offset + previousNode.length - 1] === '"';
  const length = previousNode.length - (closed ? 2 : 1);
  return { span: { offset: previousNode.offset + 1, length }, quoted: true, suggestions };
}

function valueSuggestions(analysis: Analysis, path: string[], known: readonly string[]): Suggestion[] {
  const [part, key] = path;
  const fileKey = fileKeys(analysis.doc).find((f) => f.path.join('\n') === path.join('\n'));
  if (fileKey)
    return [...new Set([...(part === 'data' ? withPatterns(known) : []), ...known])]
      .filter((file) => fileKey.pattern.test(file))
      .map((file) => ({
        kind: 'file',
        value: analysis.doc.written(modelPath(file)),
        detail: modelKind(file) === 'pipeline' ? t('pipeline folder') : t('file'),
      }));
  if (part === 'model' && key === 'output' && analysis.model.state === 'known')
    return analysis.model.summary.outputs.map((o) => ({
      kind: 'output',
      value: o.name,
      detail: `${o.type} [${o.shape?.map((d) => d ?? '?').join(', ') ?? '?'}]`,
    }));
  if (namesColumn(path))
    return unlisted(analysis, path).map((c) => {
      const { distinct, samples } = columnFacts(c);
      return {
        kind: 'column',
        value: c.name,
        detail: t('{0} different values: {1}', distinct, samples.join(' · ')),
      };
    });
  if (part === 'adapter' && (key === 'targetModules' || key === 'excludeModules'))
    return moduleSuggestions(analysis);
  return [];
}

/** The columns of the file; within a list, without those that are in it. */
function unlisted({ doc, heads }: Analysis, path: readonly string[]): Column[] {
  const key = setOf(path) === undefined ? 2 : 4;
  const items = path.length > key ? doc.node(...path.slice(0, key))?.children : undefined;
  const others = items?.filter((_, i) => String(i) !== path[key]).map((item) => item.value as unknown) ?? [];
  return headOf(heads, path)?.columns.filter((c) => !others.includes(c.name)) ?? [];
}

/** Keys of rankPattern and alphaPattern are module names too; keys in a sweep are settings. */
function keySuggestions(analysis: Analysis, path: JSONPath): Suggestion[] {
  const [part, key] = path;
  if (part === 'adapter' && (key === 'rankPattern' || key === 'alphaPattern'))
    return moduleSuggestions(analysis);
  return isSweepKey(path) ? settingSuggestions(analysis) : [];
}

const settingSuggestions = ({ method }: Analysis): Suggestion[] =>
  settingKeys(method).map((value) => ({
    kind: 'setting',
    value,
    detail: schemaAt(value.split('.'), method)?.description ?? '',
  }));

function moduleSuggestions({ model }: Analysis): Suggestion[] {
  if (model.state !== 'known') return [];
  return endingsOf(model.summary.layers).map(({ name, modules, shapes }) => ({
    kind: 'module',
    value: name,
    detail:
      modules === 1
        ? t('1 module, {0}', shapes.join(', '))
        : t('{0} modules, {1}', modules, shapes.join(', ')),
  }));
}
