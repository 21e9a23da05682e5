import { expect, it } from 'vitest';
import { folderOf, importsBelow, type Import } from './sources';

/** A folder two levels deep with all that is below it: the outer one may use its inner ones, and the reverse. */
const folderIn = (path: string): string => folderOf(path).split('/').slice(0, 3).join('/');

/** Folders or files that can reach each other, found with Tarjan's algorithm. */
function cycles(edges: ReadonlyMap<string, ReadonlySet<string>>): string[][] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const found: string[][] = [];
  const visit = (node: string): void => {
    index.set(node, index.size);
    low.set(node, index.get(node)!);
    stack.push(node);
    for (const next of edges.get(node) ?? []) {
      if (!index.has(next)) visit(next);
      if (stack.includes(next)) low.set(node, Math.min(low.get(node)!, low.get(next)!));
    }
    if (low.get(node) !== index.get(node)) return;
    const members = stack.splice(stack.indexOf(node));
    if (members.length > 1) found.push(members.sort());
  };
  for (const node of edges.keys()) if (!index.has(node)) visit(node);
  return found;
}

function edgesOf(imports: readonly Pick<Import, 'from' | 'to'>[]): Map<string, Set<string>> {
  const edges = new Map<string, Set<string>>();
  for (const { from, to } of imports) {
    const [a, b] = [folderIn(from), folderIn(to)];
    // The files directly in a folder wire its inner folders together.
    if (a !== b && !a.startsWith(`${b}/`) && !b.startsWith(`${a}/`))
      edges.set(a, (edges.get(a) ?? new Set()).add(b));
  }
  return edges;
}

it.each(['src', 'webview'])('no folders of %s import each other in a cycle', (root) => {
  expect(cycles(edgesOf(importsBelow(root)))).toEqual([]);
});

it('no files are evaluated before each other', () => {
  const edges = new Map<string, Set<string>>();
  for (const { from, to, first } of ['src', 'webview'].flatMap(importsBelow))
    if (first) edges.set(from, (edges.get(from) ?? new Set()).add(to));
  expect(edges.size).toBeGreaterThan(500);
  expect(cycles(edges)).toEqual([]);
});

it('a cycle over three folders is detected', () => {
  const imports = [
    { from: 'src/a/x.ts', to: 'src/b/x.ts' },
    { from: 'src/b/x.ts', to: 'src/c/d/x.ts' },
    { from: 'src/c/d/x.ts', to: 'src/a/y.ts' },
    { from: 'src/e/x.ts', to: 'src/a/x.ts' },
    { from: 'src/e/x.ts', to: 'src/e/f/x.ts' },
    { from: 'src/e/f/x.ts', to: 'src/e/x.ts' },
  ];
  expect(cycles(edgesOf(imports))).toEqual([['src/a', 'src/b', 'src/c/d']]);
});
