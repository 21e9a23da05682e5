import type { JSONPath } from 'jsonc-parser';
import { nearest } from '../../base/nearest';
import { t } from '../../base/l10n';
import type { LocatedProblem } from '../../runs/experiment/load';
import { meantKey } from '../../runs/experiment/unread-keys';
import type { ExperimentText } from '../../runs/experiment/experiment-text';
import type { Fix } from './finding';
import { isSweepKey, knownKeys, knownValues, settingKeys } from './schema-walk';

/** The keys or values that a schema problem's key or value may stand for. */
export function schemaFixes(
  doc: ExperimentText,
  { from, path: at, atKey }: LocatedProblem,
  method: string,
): Fix[] {
  const path = settingOf(at);
  const inSweep = isSweepKey(path);
  const node = from === 'schema' || atKey || inSweep ? doc.node(...path) : undefined;
  if (!node || path.length === 0) return [];
  const key = path.at(-1)!;
  const parent = path.slice(0, -1);
  const keys = inSweep ? settingKeys(method) : knownKeys(parent, method);
  if (typeof key === 'string' && keys.length > 0 && !keys.includes(key)) {
    const likely = meantKey(
      key,
      keys.filter((k) => !doc.node(...parent, k)),
    );
    if (likely === undefined) return [];
    const text = JSON.stringify(likely);
    return [{ ...doc.keySpan(node), text, title: t('Change to {0}', text), preferred: true }];
  }
  if (from !== 'schema') return [];
  const written = knownValues(path, method).map((v) => JSON.stringify(v));
  const likely = nearest(JSON.stringify(node.value ?? null), written);
  return written.map((text) => ({
    offset: node.offset,
    length: node.length,
    text,
    title: t('Change to {0}', text),
    preferred: text === likely,
  }));
}

/** Without the place in the list of values of a sweep's setting. */
const settingOf = (path: JSONPath): JSONPath =>
  path[0] === 'sweep' && path[1] === 'parameters' && typeof path[3] === 'number' ? path.slice(0, 3) : path;
