import { createScanner, type Node } from 'jsonc-parser';

/** jsonc-parser's token numbers. Its enum is ambient and has no values at run time. */
const COMMA = 5;
const LINE_COMMENT = 12;
const BLOCK_COMMENT = 13;
const LINE_BREAK = 14;
const BLANKS = 15;

/**
 * jsonc-parser's `modify` puts a new property between the last one and its comment, reformats neighboring lines, and
 * leaves a stray comma when it removes a last property with a trailing comma. These two functions keep comments on
 * their lines.
 */
export function insertProperty(text: string, object: Node, key: string, value: string): string {
  const property = `${JSON.stringify(key)}: ${value}`;
  const last = object.children?.at(-1);
  const close = object.offset + object.length - 1;
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  if (!last) {
    const { outer, inner } = indentOf(text, object.offset);
    const inside = text.slice(object.offset + 1, close).trimEnd();
    return `${text.slice(0, object.offset + 1)}${inside}${eol}${inner}${property}${eol}${outer}${text.slice(close)}`;
  }
  const end = last.offset + last.length;
  const { comma, lineEnd } = afterProperty(text, end, close);
  const opensLine = text.slice(object.offset, last.offset).includes('\n');
  if (!opensLine) {
    const at = comma ?? end;
    return `${text.slice(0, at)}${comma === undefined ? ',' : ''} ${property}${text.slice(at)}`;
  }
  const { outer } = indentOf(text, last.offset);
  const before =
    comma === undefined ? `${text.slice(0, end)},${text.slice(end, lineEnd)}` : text.slice(0, lineEnd);
  return `${before}${eol}${outer}${property}${comma === undefined ? '' : ','}${text.slice(lineEnd)}`;
}

/** Removes a property and its comma. If it is alone on its line, also removes the line and the comment on it. */
export function removeProperty(text: string, property: Node): string {
  const siblings = property.parent!.children!;
  const close = property.parent!.offset + property.parent!.length - 1;
  const nth = siblings.indexOf(property);
  const end = property.offset + property.length;
  const { comma, lineEnd } = afterProperty(text, end, close);
  const lineStart = text.lastIndexOf('\n', property.offset) + 1;
  const alone =
    lineStart > 0 &&
    text.slice(lineStart, property.offset).trim() === '' &&
    lineEnd < close &&
    /^\r?\n/.test(text.slice(lineEnd));
  let [from, to] = [property.offset, comma ?? end];
  if (alone) [from, to] = [text[lineStart - 2] === '\r' ? lineStart - 2 : lineStart - 1, lineEnd];
  else if (comma !== undefined) to += /^[ \t]*/.exec(text.slice(to))![0].length;
  let kept = text.slice(0, from);
  // The last of several, without a trailing comma: the property before it must lose its comma.
  if (comma === undefined && nth > 0) {
    const previous = siblings[nth - 1];
    const at = afterProperty(text, previous.offset + previous.length, close).comma!;
    kept = text.slice(0, at - 1) + text.slice(at, from);
  }
  return (alone || comma !== undefined ? kept : kept.replace(/[ \t]+$/, '')) + text.slice(to);
}

/** After a value: the end of its comma, if it has one, and the end of its line's last comment or blank. */
function afterProperty(text: string, end: number, close: number): { comma?: number; lineEnd: number } {
  const scanner = createScanner(text, false);
  scanner.setPosition(end);
  let comma: number | undefined;
  let lineEnd = end;
  let lineOver = false;
  while (scanner.getPosition() < close) {
    const token = scanner.scan() as number;
    const stop = scanner.getTokenOffset() + scanner.getTokenLength();
    if (token === COMMA && comma === undefined) comma = stop;
    else if (token === LINE_BREAK) lineOver = true;
    else if (token !== LINE_COMMENT && token !== BLOCK_COMMENT && token !== BLANKS) break;
    if (token === BLOCK_COMMENT && text.slice(scanner.getTokenOffset(), stop).includes('\n')) lineOver = true;
    // A comma on a later line ends there.
    if (!lineOver || token === COMMA) lineEnd = stop;
    if (lineOver && comma !== undefined) break;
  }
  return { comma, lineEnd: text.slice(end, lineEnd).trimEnd().length + end };
}

/** The indentation of the line at `offset`, and one level deeper in the style of the text. */
export function indentOf(text: string, offset: number): { outer: string; inner: string } {
  const line = text.slice(text.lastIndexOf('\n', offset - 1) + 1);
  const outer = /^[ \t]*/.exec(line)![0];
  const unit = /^([ \t]+)\S/m.exec(text)?.[1] ?? '  ';
  return { outer, inner: outer + unit };
}
