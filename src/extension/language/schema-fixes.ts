import type { JSONPath } from 'jsonc-parser';
import { nearest } from '../../base/nearest';
import { meantKey } from '../../runs/experiment/meant-key';
import type { Translate } from '../translate';
import type { Analysis } from './analysis';
import type { Fix, Span } from './finding';
import { isSweepKey, knownKeys, knownValues, settingKeys } from './schema-walk';

/** "Did you mean": the likely key or values for a schema error within a range. */
export function schemaFixes({ doc, problems, method }: Analysis, within: Span, t: Translate): Fix[] {
  return problems.flatMap(({ from, path: at, atKey }): Fix[] => {
    const path = settingOf(at);
    const inSweep = isSweepKey(path);
    const node = from === 'schema' || atKey || inSweep ? doc.node(...path) : undefined;
    if (!node || path.length === 0) return [];
    const key = path.at(-1)!;
    const keys = inSweep ? settingKeys(method) : knownKeys(path.slice(0, -1), method);
    if (typeof key === 'string' && keys.length > 0 && !keys.includes(key)) {
      const span = doc.keySpan(node);
      return touches(span, within) ? keyFixes(span, path.slice(0, -1), key, keys, doc, t) : [];
    }
    if (from !== 'schema') return [];
    const span = { offset: node.offset, length: node.length };
    if (!touches(span, within)) return [];
    const values = knownValues(path, method);
    const written = values.map((v) => JSON.stringify(v));
    const likely = nearest(JSON.stringify(node.value ?? null), written);
    return written.map((text) => ({
      ...span,
      text,
      title: t('Change to {0}', text),
      preferred: text === likely,
    }));
  });
}

/** Without the place in the list of values of a sweep's setting. */
const settingOf = (path: JSONPath): JSONPath =>
  path[0] === 'sweep' && path[1] === 'parameters' && typeof path[3] === 'number' ? path.slice(0, 3) : path;

function keyFixes(
  span: Span,
  parent: JSONPath,
  key: string,
  keys: string[],
  doc: Analysis['doc'],
  t: Translate,
): Fix[] {
  const free = keys.filter((k) => !doc.node(...parent, k));
  const likely = meantKey(key, free);
  if (likely === undefined) return [];
  const text = JSON.stringify(likely);
  return [{ ...span, text, title: t('Change to {0}', text), preferred: true }];
}

const touches = (a: Span, b: Span): boolean =>
  a.offset <= b.offset + b.length && b.offset <= a.offset + a.length;
