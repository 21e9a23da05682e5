import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { METHOD_ORDER } from '../../../src/experiment/methods';

/** Where a method may be named: its definition, its computation, the type of its settings, and the paper's results. */
const OWN =
  /^src\/(experiment\/(experiment|methods|paper)\.ts|adapters\/methods\/\w+[\w-]*\.ts|recipes\/results\.ts)$/;

/** Words with another meaning, too: the program's name, a full context. */
const AMBIGUOUS = ['aurora', 'full'];

// Only in single quotes: double quotes occur within user-visible messages.
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
  it('are written only where a method is described: all else asks for its properties', () => {
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
  ])('are found in %s', (line) => {
    expect(naming(line)).toEqual([line]);
  });
});
