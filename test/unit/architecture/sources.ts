import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, resolve, sep } from 'node:path';
import ts from 'typescript';

const ROOT = resolve(__dirname, '../../..');

export interface Import {
  /** Paths from the repository root, with `/`. */
  from: string;
  to: string;
}

const paths = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).split(sep).join('/'));

/** The TypeScript files below a folder of the repository. */
export const sources = (folder: string): string[] => paths(folder).sort();

/** All imports from this repository in the files below a folder: static, type and dynamic ones. */
export function importsBelow(folder: string): Import[] {
  const all = new Set([...paths('src'), ...paths('webview')]);
  return sources(folder).flatMap((from) =>
    specifiers(from).flatMap((name) => {
      if (!name.startsWith('.')) return [];
      const path = posix.join(posix.dirname(from), name);
      const to = [`${path}.ts`, `${path}/index.ts`].find((p) => all.has(p));
      return to === undefined ? [] : [{ from, to }];
    }),
  );
}

/** All imports from packages and from Node in the files below a folder. */
export const packagesBelow = (folder: string): Import[] =>
  sources(folder).flatMap((from) =>
    specifiers(from).flatMap((to) => (to.startsWith('.') ? [] : [{ from, to }])),
  );

function specifiers(path: string): string[] {
  const found: string[] = [];
  const add = (node: ts.Node | undefined) => {
    if (node && ts.isStringLiteralLike(node)) found.push(node.text);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) add(node.moduleSpecifier);
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node.arguments[0]);
    if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal);
    ts.forEachChild(node, visit);
  };
  const text = readFileSync(join(ROOT, path), 'utf8');
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.Latest));
  return found;
}

export const folderOf = (path: string): string => dirname(path);
