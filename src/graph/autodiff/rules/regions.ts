import { attrInt, attrString } from '../../attributes';
import type { Rule } from '../rule';

const trilu: Rule = (c) => [
  c.op('Trilu', c.has(1) ? [c.dy[0]!, c.x[1]] : [c.dy[0]!], { upper: attrInt(c.node, 'upper', 1) }),
];

/** The opposite margins: what was added is cut, what was cut comes back as zeros. */
const pad: Rule = (c) => {
  const mode = attrString(c.node, 'mode', 'constant');
  if (mode !== 'constant') throw c.refuse(`is not known for mode "${mode}"`);
  if (c.needs(2)) throw c.refuse('is not known for a trained padding value');
  const pads = c.constant(c.x[1]);
  const opposite = pads ? c.g.ints(pads.map((p) => -p)) : c.op('Neg', [c.x[1]]);
  return [c.op('Pad', c.has(3) ? [c.dy[0]!, opposite, '', c.x[3]] : [c.dy[0]!, opposite])];
};

export const regions: Record<string, Rule> = { Trilu: trilu, Pad: pad };
