import { findNodeAtLocation, getNodeValue, modify, type Node } from 'jsonc-parser';
import { AuroraError } from '../../../base/errors';
import schema from '../../../experiment/experiment.schema.json';
import { DEFAULT_METHOD } from '../../../experiment/methods';
import { adapterDefault } from './experiment';
import type { BudgetChoice } from './fields';
import { indentOf, insertProperty, removeProperty } from '../../../runs/experiment/jsonc';
import { parseText } from '../../../runs/experiment/parse-text';

export interface AdapterEdit {
  /** The complete new text; unchanged if there is nothing to change. */
  text: string;
  /** For display, such as "adapter.rank: 2 → 4". */
  changes: string[];
}

/** The settings in the calculator, in the order in which a new section gets them. */
const SETTINGS = [
  'method',
  'targetModules',
  'rank',
  'alpha',
  'gridSize',
  'splineOrder',
  'frequencies',
] as const;

/**
 * An experiment's text with the chosen adapter. Only differences are edited: comments, order and layout stay, defaults
 * stay omitted, and settings that the new method does not know are removed. Throws AuroraError `experiment` if the text
 * is not an experiment.
 */
export function writeAdapter(text: string, choice: BudgetChoice, modelPath?: string): AdapterEdit {
  const edit = new Edit(text);
  if (modelPath !== undefined) edit.set(['model', 'path'], modelPath);
  const before = edit.value(['adapter']);
  const current = typeof before === 'object' && before !== null ? (before as Record<string, unknown>) : {};
  const known = schema.definitions[choice.method].properties;
  for (const key of Object.keys(current)) if (!Object.hasOwn(known, key)) edit.remove(['adapter', key]);
  for (const key of SETTINGS) {
    if (!Object.hasOwn(known, key)) continue;
    const otherwise = key === 'method' ? DEFAULT_METHOD : adapterDefault(choice.method, key);
    edit.set(['adapter', key], choice[key], otherwise);
  }
  return edit;
}

/** Changes of an experiment's text that keep its comments and layout. */
export class Edit implements AdapterEdit {
  readonly changes: string[] = [];

  constructor(public text: string) {
    if (this.root?.type !== 'object' || parseText(text).errors.length > 0)
      throw new AuroraError(
        'experiment',
        'The file is not valid JSON, so it cannot be edited.',
        'Fix the errors that are marked in its editor first.',
      );
  }

  private get root(): Node | undefined {
    return parseText(this.text).root;
  }

  value(path: string[]): unknown {
    const node = this.root && findNodeAtLocation(this.root, path);
    return node && getNodeValue(node);
  }

  /** `otherwise` is the meaning of a missing key; it is not written. */
  set(path: string[], value: unknown, otherwise?: unknown): void {
    const old = this.value(path);
    if (same(old ?? otherwise, value)) return;
    const [section, key] = path;
    const holder = findNodeAtLocation(this.root!, [section]);
    if (holder?.type !== 'object') {
      this.text = holder
        ? replaceValue(this.text, [section], {})
        : insertProperty(this.text, this.root!, section, '{}');
      return this.set(path, value, otherwise);
    }
    this.text =
      old === undefined
        ? insertProperty(this.text, holder, key, compact(value))
        : replaceValue(this.text, path, value);
    this.changes.push(`${path.join('.')}: ${shown(old ?? otherwise)} → ${shown(value)}`);
  }

  remove(path: string[]): void {
    const node = findNodeAtLocation(this.root!, path)!;
    this.changes.push(`${path.join('.')}: ${shown(getNodeValue(node))} → –`);
    this.text = removeProperty(this.text, node.parent!);
  }
}

/** Without formatting options, `modify` inserts the value and leaves everything around it unchanged. */
function replaceValue(text: string, path: string[], value: unknown): string {
  const [{ offset, length }] = modify(text, path, value, {});
  return text.slice(0, offset) + layout(text, offset, length, value) + text.slice(offset + length);
}

/** A multi-line list stays multi-line. */
function layout(text: string, offset: number, length: number, value: unknown): string {
  if (!Array.isArray(value) || !text.slice(offset, offset + length).includes('\n')) return compact(value);
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  const { outer, inner } = indentOf(text, offset);
  return `[${value.map((v) => `${eol}${inner}${JSON.stringify(v)}`).join(',')}${eol}${outer}]`;
}

/** Single-line JSON as usually written: a space after each comma. */
const compact = (value: unknown): string =>
  Array.isArray(value) ? `[${value.map((v) => JSON.stringify(v)).join(', ')}]` : JSON.stringify(value);

const shown = (value: unknown): string => (value === undefined ? '–' : compact(value));

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** The single range of `before` that `after` replaces, so that an undo takes one step and the cursor stays. */
export function replacedRange(
  before: string,
  after: string,
): { offset: number; length: number; content: string } {
  let start = 0;
  const shorter = Math.min(before.length, after.length);
  while (start < shorter && before[start] === after[start]) start++;
  let end = 0;
  while (end < shorter - start && before[before.length - 1 - end] === after[after.length - 1 - end]) end++;
  return {
    offset: start,
    length: before.length - end - start,
    content: after.slice(start, after.length - end),
  };
}
