import { findNodeAtLocation } from 'jsonc-parser';
import { parseText } from './parse-text';

/** An experiment's text for a copy of the file: a name that it gives itself becomes the new one. All else stays as it is. */
export function duplicateText(text: string, name: string): string {
  const { root } = parseText(text);
  const node = root && findNodeAtLocation(root, ['name']);
  if (node?.type !== 'string') return text;
  return text.slice(0, node.offset) + JSON.stringify(name) + text.slice(node.offset + node.length);
}
