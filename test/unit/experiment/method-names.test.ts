import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { METHOD_ORDER } from '../../../src/experiment/methods';

/**
 * The places that may name methods: their definitions and computations, the types of their settings, and the
 * paper's results.
 */
const OWN =
  /^src\/(experiment\/(experiment|method-list|methods|paper)\.ts|adapters\/methods\/\w+[\w-]*\.ts|recipes\/paper-(report|tables)\.ts)$/;

/** Names with another meaning: the program's name, "full". */
const AMBIGUOUS = ['aurora', 'full'];

// Only in single quotes or backticks, because messages use double quotes.
const ids = METHOD_ORDER.filter((m) => !AMBIGUOUS.includes(m)).join('|');
const quoted = new RegExp(`['\`](${ids})['\`]`);
/** Comparisons with a name, lists of names, and defaults. */
const named = new RegExp(`\\bmethods?\\b[^'"\`]*['\`](${METHOD_ORDER.join('|')}|none)['\`]`, 'i');
const listed = new RegExp(`\\[['\`](${METHOD_ORDER.join('|')})['\`][,\\]].*\\.includes\\(`);

const sources = ['src', 'webview'].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(folder, file).replaceAll('\\', '/')),
);

const naming = (text: string): string[] =>
  text.split('\n').filter((line) => [quoted, named, listed].some((rule) => rule.test(line)));

describe('the names of methods', () => {
  it('appear only where a method is defined; other code asks for its properties', () => {
    expect(sources.length).toBeGreaterThan(500);
    const found = sources
      .filter((file) => !OWN.test(file))
      .flatMap((file) => naming(readFileSync(file, 'utf8')).map((line) => `${file}: ${line.trim()}`));
    expect(found).toEqual([]);
  });

  it.each([
    "if (spec.method === 'aurora') {",
    "adapter.method !== 'none'",
    "const wide = ['bitfit', 'full'].includes(method);",
    "const known = ['full', 'aurora'].includes(name);",
    "const method = given ?? 'full';",
    "case 'vera':",
  ])('are detected in %s', (line) => {
    expect(naming(line)).toEqual([line]);
  });
});
