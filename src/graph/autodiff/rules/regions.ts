import { attrInt, attrString } from '../../attributes';
import type { Rule } from '../rule';
import { embed } from './embed';

const trilu: Rule = (c) => [
  c.op('Trilu', c.has(1) ? [c.dy[0]!, c.x[1]] : [c.dy[0]!], { upper: attrInt(c.node, 'upper', 1) }),
];

/** The opposite margins: padding is cut, and cut regions become zeros. */
const pad: Rule = (c) => {
  const mode = attrString(c.node, 'mode', 'constant');
  if (mode !== 'constant') throw c.refuse(`is not supported for mode "${mode}"`);
  if (c.needs(2)) throw c.refuse('is not supported for a trained padding value');
  const axes = c.has(3) ? c.constant(c.x[3]) : c.shape(c.x[0]).map((_, i) => i);
  if (!axes) throw c.refuse('needs axes that are constants');
  const pads = c.constant(c.x[1]);
  const minus = pads ? undefined : c.op('Neg', [c.x[1]]);
  const margin = (i: number) => (pads ? -pads[i] : c.op('Slice', [minus!, c.g.ints([i]), c.g.ints([i + 1])]));
  const margins = axes.map((a, i) => ({
    axis: c.axis(c.x[0], a),
    before: margin(i),
    after: margin(i + axes.length),
  }));
  return [embed(c, c.dy[0]!, c.rank(c.x[0]), margins)];
};

export const regions: Record<string, Rule> = { Trilu: trilu, Pad: pad };
