import { dirname, isAbsolute, relative } from 'node:path';
import { findNodeAtLocation, type Node } from 'jsonc-parser';
import type { Experiment } from '../../experiment/experiment';
import { type SettingChange, settingChanges } from './setting-changes';
import { indentOf, insertProperty, removeProperty } from './jsonc';
import { parseExperiment } from './load';
import { parseText } from './parse-text';

/**
 * An experiment file's text with the settings of a run. Only the differences are changed: comments, the order of keys,
 * its name and its `sweep` and `cluster` sections stay. Settings that equal their defaults are not added.
 *
 * @param file the experiment file, to whose folder paths are relative
 * @throws AuroraError 'experiment' if the text is not a valid experiment
 */
export function withSettings(file: string, text: string, spec: Experiment): string {
  let changed = text;
  // A setting that follows another one, such as the head's rate, no longer differs once that one is set.
  for (let pass = 0; pass < 3; pass++) {
    const changes = settingChanges(parseExperiment(file, pass === 0 ? text : changed, []), spec).filter(
      ({ key }) => key !== 'name',
    );
    if (changes.length === 0) return changed;
    const method = changes.some(({ key }) => key === 'adapter.method');
    if (method) changed = put(changed, ['adapter'], spec.adapter);
    const own = method ? changes.filter(({ key }) => !key.startsWith('adapter.')) : changes;
    const now = pass === 0 ? own.filter(({ key }) => !FOLLOWERS.has(key)) : own;
    for (const change of now) changed = apply(file, changed, change);
  }
  return changed;
}

/** Settings that default to another one. */
const FOLLOWERS = new Set(['training.headLearningRate', 'training.headWeightDecay', 'adapter.alpha']);

function apply(file: string, text: string, { key, to }: SettingChange): string {
  const path = key.split('.');
  if (to === undefined) {
    const node = find(text, path);
    return node ? removeProperty(text, node.parent!) : text;
  }
  const isPath = /^(model|data)\./.test(key) && typeof to === 'string' && isAbsolute(to);
  return put(text, path, isPath ? relative(dirname(file), to).replaceAll('\\', '/') : to);
}

/** Sets a value, with the sections around it. */
function put(text: string, path: readonly string[], value: unknown): string {
  const there = find(text, path);
  if (there) {
    const json = jsonAt(text, there.parent!.offset, value);
    return text.slice(0, there.offset) + json + text.slice(there.offset + there.length);
  }
  let depth = path.length - 1;
  while (depth > 0 && find(text, path.slice(0, depth)) === undefined) depth--;
  const parent = depth === 0 ? parseText(text).root! : find(text, path.slice(0, depth))!;
  const inner = path.slice(depth + 1).reduceRight<unknown>((part, key) => ({ [key]: part }), value);
  const at = parent.children?.at(-1)?.offset ?? parent.offset;
  return insertProperty(text, parent, path[depth], jsonAt(text, at, inner));
}

/** JSON as it is written in a line that is indented like the one at `offset`; lists on one line. */
function jsonAt(text: string, offset: number, value: unknown): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return JSON.stringify(value).replaceAll('","', '", "');
  const { outer, inner } = indentOf(text, offset);
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  const unit = inner.slice(outer.length) || '  ';
  return JSON.stringify(value, null, unit).replaceAll('\n', eol + outer);
}

const find = (text: string, path: readonly string[]): Node | undefined => {
  const { root } = parseText(text);
  return root && findNodeAtLocation(root, [...path]);
};

/** An experiment's text for a copy of the file: a name that it gives itself becomes the new one. All else stays as it is. */
export function duplicateText(text: string, name: string): string {
  const { root } = parseText(text);
  const node = root && findNodeAtLocation(root, ['name']);
  if (node?.type !== 'string') return text;
  return text.slice(0, node.offset) + JSON.stringify(name) + text.slice(node.offset + node.length);
}
