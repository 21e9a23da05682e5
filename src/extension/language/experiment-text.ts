import { dirname } from 'node:path';
import { findNodeAtLocation, getNodeValue, type JSONPath, type Node } from 'jsonc-parser';
import { localPath, writtenPath } from '../../files/hub-cache';
import { parseText } from '../../runs/experiment/parse-text';
import type { Span } from './finding';

/** An experiment as an editor holds it, mistakes included: values by path, and their positions. */
export class ExperimentText {
  readonly root: Node | undefined;

  constructor(
    readonly file: string,
    readonly text: string,
  ) {
    this.root = parseText(text).root;
  }

  /** Everything that is written, as far as it can be read. */
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

  /** The absolute path of a path from the file, or of a reference to the hub. */
  resolve(path: string): string {
    return localPath(dirname(this.file), path);
  }

  /** An absolute path as written in the file: relative to it, with forward slashes, or a reference to the hub. */
  written(path: string): string {
    return writtenPath(this.file, path);
  }
}
