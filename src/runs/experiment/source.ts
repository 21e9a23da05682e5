import { findNodeAtLocation, getNodeValue } from 'jsonc-parser';
import type { JSONPath, Node } from 'jsonc-parser';
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

/** An experiment file's text as JSON with comments and trailing commas. */
export class ExperimentSource {
  private readonly root: Node | undefined;
  readonly errors: readonly TextError[];

  constructor(
    private readonly file: string,
    private readonly text: string,
  ) {
    const { root, errors } = parseText(text);
    this.root = root;
    this.errors = errors;
  }

  /** The first place that cannot be read, as "FILE:LINE:COLUMN: …"; undefined if all can. */
  firstError(): string | undefined {
    const [first] = this.errors;
    return first && `${this.at(first.offset)}: ${first.message}.`;
  }

  /** Undefined if nothing in the text can be parsed. */
  value(): unknown {
    return this.root && getNodeValue(this.root);
  }

  /** "FILE:LINE:COLUMN" of the value at `path`, or of the nearest object around it in the file. */
  locate(problem: Problem): string {
    return this.at(this.offsetOf(problem));
  }

  /** The place that `locate` gives, in characters from the start of the text. */
  offsetOf({ path, offset }: Problem): number {
    if (offset !== undefined) return offset;
    for (let n = path.length; this.root && n >= 0; n--) {
      const node = findNodeAtLocation(this.root, path.slice(0, n));
      // A key starts where its property starts.
      if (node) return node.parent?.type === 'property' ? node.parent.offset : node.offset;
    }
    return 0;
  }

  /** Keys that occur twice in an object: JSON would silently take the last one. */
  duplicateKeys(): Problem[] {
    return this.root ? duplicatesIn(this.root, []) : [];
  }

  private at(offset: number): string {
    const before = this.text.slice(0, offset).split('\n');
    return `${this.file}:${before.length}:${before.at(-1)!.length + 1}`;
  }
}

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
