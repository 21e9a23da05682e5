import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, resolve, sep } from 'node:path';
import ts from 'typescript';

const ROOT = resolve(__dirname, '../../..');

export interface Import {
  /** Paths from the repository root, with `/`. */
  from: string;
  to: string;
  /** True if `to` is evaluated before `from`: an import of values, and not a dynamic one. */
  first: boolean;
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
    specifiers(from).flatMap(({ name, first }) => {
      if (!name.startsWith('.')) return [];
      const path = posix.join(posix.dirname(from), name);
      const to = [`${path}.ts`, `${path}/index.ts`].find((p) => all.has(p));
      return to === undefined ? [] : [{ from, to, first }];
    }),
  );
}

/** All imports from packages and from Node in the files below a folder. */
export const packagesBelow = (folder: string): Import[] =>
  sources(folder).flatMap((from) =>
    specifiers(from).flatMap(({ name: to, first }) => (to.startsWith('.') ? [] : [{ from, to, first }])),
  );

function specifiers(path: string): { name: string; first: boolean }[] {
  const found: { name: string; first: boolean }[] = [];
  const add = (node: ts.Node | undefined, first = false) => {
    if (node && ts.isStringLiteralLike(node)) found.push({ name: node.text, first });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, !isOfTypes(node.importClause));
    if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, !node.isTypeOnly);
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node.arguments[0]);
    if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal);
    ts.forEachChild(node, visit);
  };
  const text = readFileSync(join(ROOT, path), 'utf8');
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.Latest));
  return found;
}

function isOfTypes(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) return false;
  const { namedBindings: named, name, phaseModifier } = clause;
  if (phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  return !name && !!named && ts.isNamedImports(named) && named.elements.every((e) => e.isTypeOnly);
}

export const folderOf = (path: string): string => dirname(path);
