import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../../..');

const pages = [
  ...readdirSync(ROOT).filter((name) => name.endsWith('.md')),
  ...['docs', 'demo', 'scripts'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { encoding: 'utf8', recursive: true })
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name)),
  ),
];

/** Without blocks and spans of code, which may contain brackets. */
const proseOf = (page: string): string =>
  readFileSync(join(ROOT, page), 'utf8')
    .replace(/^```[^]*?^```/gm, '')
    .replace(/`[^`\n]*`/g, (code) => (/[[\]()]/.test(code) ? '' : code));

/** The anchors that GitHub gives the headings of a page. */
function anchorsOf(path: string): Set<string> {
  const headings = readFileSync(path, 'utf8')
    .replace(/^```[^]*?^```/gm, '')
    .matchAll(/^#+ (.+)$/gm);
  return new Set(
    [...headings].map(([, title]) =>
      title!
        .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\- _]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

describe('links of the documentation', () => {
  it.each(pages)('%s names files and headings that exist', (page) => {
    const links = [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!);
    const broken = links.filter((link) => {
      if (/^[a-z]+:/.test(link)) return false;
      const [file, anchor] = decodeURI(link).split('#');
      const target = file ? join(ROOT, dirname(page), file) : join(ROOT, page);
      return !existsSync(target) || (anchor && target.endsWith('.md') && !anchorsOf(target).has(anchor));
    });
    expect(broken).toEqual([]);
  });

  it('finds every page of docs from its index', () => {
    const index = proseOf('docs/README.md');
    const linked = [...index.matchAll(/\]\(([^)\s#]+)/g)].map(([, link]) => join('docs', link!));
    const missing = readdirSync(join(ROOT, 'docs')).filter(
      (name) => name.endsWith('.md') && name !== 'README.md' && !linked.includes(join('docs', name)),
    );
    expect(missing).toEqual([]);
  });
});
