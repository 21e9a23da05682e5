import { dirname } from 'node:path';
import { findNodeAtLocation, getNodeValue } from 'jsonc-parser';
import type { JSONPath, Node } from 'jsonc-parser';
import { AuroraError, type Mistake } from '../../base/errors';
import { localPath, writtenPath } from '../../files/hub-cache';
import { parseText, type TextError } from './parse-text';

/** A problem in an experiment: its place and its description. */
export interface Problem {
  path: JSONPath;
  message: string;
  /** Set if the path alone does not identify the place. */
  offset?: number;
  /** The key at the path is wrong, not its value. */
  atKey?: true;
  /** The number of unlisted problems that this one stands for. */
  more?: number;
}

/** A range in a text, in characters. */
export interface Span {
  offset: number;
  length: number;
}

/**
 * The text of an experiment file, JSON with comments and trailing commas, parsed once: values by path and their places, also
 * while it has mistakes.
 */
export class ExperimentText {
  readonly root: Node | undefined;
  readonly errors: readonly TextError[];

  /** @param file its absolute path, to which the paths in the text are relative */
  constructor(
    readonly file: string,
    readonly text: string,
  ) {
    const { root, errors } = parseText(text);
    this.root = root;
    this.errors = errors;
  }

  /**
   * @returns this
   * @throws AuroraError 'experiment' with the first place that cannot be read
   */
  requireReadable(hint = 'Write plain JSON; comments and trailing commas are allowed.'): this {
    const [first] = this.errors;
    if (!first) return this;
    const mistake = { ...this.placeOf({ path: [], offset: first.offset }), message: `${first.message}.` };
    throw mistakesError([mistake], hint);
  }

  /** Everything that is written, as far as it can be read; undefined if nothing can. */
  value(): unknown {
    return this.root && (getNodeValue(this.root) as unknown);
  }

  node(...path: JSONPath): Node | undefined {
    return this.root && findNodeAtLocation(this.root, path);
  }

  /** The text at `path`; undefined if missing or empty. */
  string(...path: JSONPath): string | undefined {
    const node = this.node(...path);
    return node?.type === 'string' && node.value !== '' ? (node.value as string) : undefined;
  }

  /** The keys of the object at `path`; empty if it is not an object. */
  keys(...path: JSONPath): string[] {
    const node = this.node(...path);
    if (node?.type !== 'object') return [];
    return [...new Set(node.children!.map((property) => property.children![0].value as string))];
  }

  /** The value at `path`, otherwise the key of the nearest existing parent, otherwise the start of the text. */
  span(...path: JSONPath): Span {
    const whole = this.node(...path);
    if (whole) return { offset: whole.offset, length: whole.length };
    for (let n = path.length - 1; n > 0; n--) {
      const around = this.node(...path.slice(0, n));
      if (around) return this.keySpan(around);
    }
    return { offset: this.root?.offset ?? 0, length: 1 };
  }

  /** The key of `node`'s value; for anything else, its first character. */
  keySpan(node: Node): Span {
    const key = node.parent?.type === 'property' ? node.parent.children![0] : undefined;
    return key ? { offset: key.offset, length: key.length } : { offset: node.offset, length: 1 };
  }

  /** The place of the value at a path, or of the nearest object around it, in characters from the start of the text. */
  offsetOf({ path, offset }: Pick<Problem, 'path' | 'offset'>): number {
    if (offset !== undefined) return offset;
    for (let n = path.length; this.root && n >= 0; n--) {
      const node = this.node(...path.slice(0, n));
      // A key starts where its property starts.
      if (node) return node.parent?.type === 'property' ? node.parent.offset : node.offset;
    }
    return 0;
  }

  /** The place that `offsetOf` gives, for a message. */
  placeOf(problem: Pick<Problem, 'path' | 'offset'>): Omit<Mistake, 'message'> {
    const before = this.text.slice(0, this.offsetOf(problem)).split('\n');
    return { file: this.file, line: before.length, column: before.at(-1)!.length + 1 };
  }

  /** Keys that occur twice in an object: JSON would silently take the last one. */
  duplicateKeys(): Problem[] {
    return this.root ? duplicatesIn(this.root, []) : [];
  }

  /** The absolute path of a path from the file, or of a reference to the hub. */
  resolve(path: string): string {
    return localPath(dirname(this.file), path);
  }

  /** An absolute path as written in the file: relative to it, with forward slashes, or a reference to the hub. */
  written(path: string): string {
    return writtenPath(this.file, path);
  }
}

/** An error with a line for each mistake. */
export const mistakesError = (mistakes: readonly Mistake[], hint?: string): AuroraError =>
  new AuroraError('experiment', mistakes.map(mistakeText).join('\n'), hint, { mistakes });

/** "FILE:LINE:COLUMN: …" */
export const mistakeText = ({ file, line, column, message }: Mistake): string =>
  `${file}:${line}:${column}: ${message}`;

/** The text of a file as an editor shows it: without a byte order mark. */
export const withoutMark = (text: string): string => text.replace(/^\uFEFF/, '');

function duplicatesIn(node: Node, path: JSONPath): Problem[] {
  const children = node.children ?? [];
  if (node.type !== 'object') return children.flatMap((child, i) => duplicatesIn(child, [...path, i]));
  const seen = new Set<string>();
  return children.flatMap(({ children: [key, value] = [] }) => {
    const here = [...path, key.value as string];
    const again = seen.has(key.value);
    seen.add(key.value);
    return [
      ...(again ? [{ path: here, message: `${keyPath(here)} is given twice`, offset: key.offset }] : []),
      ...(value ? duplicatesIn(value, here) : []),
    ];
  });
}

/** More than anyone reads at once. */
export const MOST_PROBLEMS = 100;

/** The first `MOST_PROBLEMS`, and one for the whole file that counts the others. */
export function capped(problems: readonly Problem[]): Problem[] {
  const listed = problems.filter((p) => p.more === undefined);
  const shown = listed.slice(0, MOST_PROBLEMS);
  const more = problems.reduce((sum, p) => sum + (p.more ?? 1), 0) - shown.length;
  return more > 0 ? [...shown, { path: [], message: `and ${more} more like these`, more }] : shown;
}

/** A path in dotted notation: training.betas[0] */
export const keyPath = (path: JSONPath): string =>
  path.map((p, i) => (typeof p === 'number' ? `[${p}]` : i === 0 ? p : `.${p}`)).join('');
