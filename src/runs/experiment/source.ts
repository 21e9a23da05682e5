import { findNodeAtLocation, getNodeValue, parseTree, printParseErrorCode } from 'jsonc-parser';
import type { JSONPath, Node, ParseError } from 'jsonc-parser';

/** Something wrong with an experiment: where in it, and what. */
export interface Problem {
  path: JSONPath;
  message: string;
  /** Where the path alone does not lead there. */
  offset?: number;
}

/** An experiment file's text as JSON with comments and trailing commas. */
export class ExperimentSource {
  private readonly root: Node | undefined;
  private readonly errors: ParseError[] = [];

  constructor(
    private readonly file: string,
    private readonly text: string,
  ) {
    this.root = parseTree(text, this.errors, { allowTrailingComma: true, allowEmptyContent: false });
  }

  /** The first place that is not JSON, as "FILE:LINE:COLUMN: …"; undefined where all of it is. */
  syntaxError(): string | undefined {
    const [first] = this.errors;
    if (!first) return undefined;
    return `${this.at(first.offset)}: this is not valid JSON: ${words(first.error)}.`;
  }

  value(): unknown {
    return this.root && getNodeValue(this.root);
  }

  /** Every place that is not JSON. */
  syntaxProblems(): Problem[] {
    return this.errors.map(({ error, offset }) => ({
      path: [],
      message: `this is not valid JSON: ${words(error)}`,
      offset,
    }));
  }

  /** "FILE:LINE:COLUMN" of the value at `path`, or of the nearest object around it that the file has. */
  locate(problem: Problem): string {
    return this.at(this.offsetOf(problem));
  }

  /** Where `locate` points, in characters from the text's begin. */
  offsetOf({ path, offset }: Problem): number {
    if (offset !== undefined) return offset;
    for (let n = path.length; this.root && n >= 0; n--) {
      const node = findNodeAtLocation(this.root, path.slice(0, n));
      // A key stands where its value's property begins.
      if (node) return node.parent?.type === 'property' ? node.parent.offset : node.offset;
    }
    return 0;
  }

  /** Keys that an object has twice: JSON would silently take the last. */
  duplicateKeys(): Problem[] {
    return this.root ? duplicatesIn(this.root, []) : [];
  }

  private at(offset: number): string {
    const before = this.text.slice(0, offset).split('\n');
    return `${this.file}:${before.length}:${before.at(-1)!.length + 1}`;
  }
}

const words = (code: ParseError['error']): string =>
  printParseErrorCode(code)
    .replace(/\B[A-Z]/g, (c) => ` ${c.toLowerCase()}`)
    .toLowerCase();

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

/** A path as people write it: training.betas[0] */
export const keyPath = (path: JSONPath): string =>
  path.map((p, i) => (typeof p === 'number' ? `[${p}]` : i === 0 ? p : `.${p}`)).join('');
