import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { sources } from './sources';

/** Folders whose numbers reach a trained adapter or a study. */
const NUMBERS = [
  'base',
  'experiment',
  'study',
  'graph',
  'adapters',
  'tasks',
  'training',
  'peft',
  'quantize',
  'engine',
  'architectures',
  'data',
  'protocol',
  'sweeps',
  'inference',
  'exports',
  'demo',
];

/** Exact in every version of Node, or only about sizes and drawings. */
const ALLOWED: Readonly<Record<string, string>> = {
  'src/base/tick-texts.ts': 'labels of axes',
  'src/study/figures/figure.ts': 'labels of axes',
  'src/study/sweep/axis.ts': 'labels of axes',
  'src/study/sweep/heat-map.ts': 'a drawing',
  'src/adapters/methods/oft.ts': 'counts of operations, which are whole numbers',
  'src/adapters/methods/boft.ts': 'counts of operations, which are whole numbers',
  'src/experiment/metrics.ts': 'digits of a text',
  'src/data/text/jinja/filters.ts': 'digits of a text',
  'src/data/text/jinja/operators.ts': 'a power that a chat template itself writes',
  'src/engine/tfjs/host/elementwise.ts': 'shapes in the other engine',
};

/** The powers in a file that are neither squares nor whole powers of two. */
function powersIn(path: string): string[] {
  const file = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const isPower =
      ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.AsteriskAsteriskToken;
    if (isPower && node.right.getText() !== '2' && !/^2n?$/.test(node.left.getText()))
      found.push(node.getText());
    if (ts.isPropertyAccessExpression(node) && node.getText() === 'Math.pow') found.push('Math.pow');
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

describe('numbers that training and studies compute', () => {
  it('take no powers of which Node 24 has other bits than Node 20', () => {
    const found = NUMBERS.flatMap((folder) => sources(`src/${folder}`)).filter((p) => powersIn(p).length > 0);
    expect(found.filter((path) => !(path in ALLOWED)).map((path) => [path, powersIn(path)])).toEqual([]);
    // An entry that is no longer needed would hide the next power.
    expect(Object.keys(ALLOWED).filter((path) => !found.includes(path))).toEqual([]);
  });
});
