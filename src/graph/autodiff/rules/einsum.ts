import { attrString } from '../../attributes';
import type { Rule, RuleContext } from '../rule';

/** An axis of an operand: its label and its size there (an operand may have size 1 where another has more). */
interface Label {
  label: string;
  size: number | string;
}

/**
 * The gradient of an operand is again an einsum: the output's gradient with the other operands, summed down to the
 * operand's labels. A label that only this operand has was summed away, so its gradient is constant along it.
 */
const einsumRule: Rule = (c) => {
  const { operands, output } = parse(c);
  return c.x.map((x, i) => {
    if (!c.needs(i)) return undefined;
    const others = operands.flatMap((o, j) => (j === i ? [] : [o]));
    const factors = [output, ...others];
    const full = (l: Label) =>
      factors.some((f) => f.some((m) => m.label === l.label && (l.size === 1 || m.size !== 1)));
    const broadcast = (l: Label) =>
      l.size === 1 && factors.some((f) => f.some((m) => m.label === l.label && m.size !== 1));
    const kept = operands[i].filter((l) => full(l) && !broadcast(l));
    const missing = operands[i].flatMap((l, axis) => (kept.includes(l) ? [] : [axis]));
    const strip = (f: Label[]) => f.map((l) => l.label).join('');
    const equation = `${factors.map(strip).join()}->${strip(kept)}`;
    const names = [c.dy[0]!, ...c.x.filter((_, j) => j !== i)];
    // Omits single-operand einsums that change nothing.
    let gradient =
      equation === `${strip(output)}->${strip(output)}` ? names[0] : c.op('Einsum', names, { equation });
    if (missing.length === 0) return gradient;
    gradient = c.op('Unsqueeze', [gradient, c.g.ints(missing)]);
    return missing.every((axis) => operands[i][axis].size === 1)
      ? gradient
      : c.op('Expand', [gradient, c.shapeTensor(x)]);
  });
};

/** The equation with the ellipsis, which covers the same number of axes in each term, spelled out in unused labels. */
function parse(c: RuleContext): { operands: Label[][]; output: Label[] } {
  const equation = attrString(c.node, 'equation', '').replace(/\s/g, '');
  const [left, right] = equation.split('->');
  const terms = left.split(',');
  const depth = Math.max(...terms.map((t, i) => c.rank(c.x[i]) - t.replace('...', '').length));
  const free = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'].filter((l) => !equation.includes(l)).slice(0, depth);
  const label = (term: string, name: string): Label[] =>
    [...term.replace('...', free.join(''))].map((l, axis) => ({ label: l, size: c.shape(name)[axis] }));
  const operands = terms.map((t, i) => label(t, c.x[i]));
  for (const o of operands)
    if (new Set(o.map((l) => l.label)).size < o.length)
      throw c.refuse(`is not supported if an operand repeats a label ("${equation}")`);
  return { operands, output: label(right ?? implicitOutput(left), c.y[0]) };
}

/** Without an arrow: the ellipsis, then the labels that occur once, in alphabetical order. */
function implicitOutput(left: string): string {
  const letters = [...left.replace(/\.{3}|,/g, '')].sort();
  const once = letters.filter((l) => letters.indexOf(l) === letters.lastIndexOf(l));
  return (left.includes('...') ? '...' : '') + once.join('');
}

export const einsum: Record<string, Rule> = { Einsum: einsumRule };
