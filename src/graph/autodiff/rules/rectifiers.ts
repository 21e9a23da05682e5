import { attrFloat } from '../../attributes';
import type { Rule } from '../rule';

const relu: Rule = (c) => {
  const zero = c.scalar(0, c.y[0]);
  return [c.where(c.op('Greater', [c.y[0], zero]), c.dy[0]!, c.y[0])];
};

/** Slope 1 above 0, alpha from 0 down: alpha + (1 − alpha)·[x > 0]. */
const leakyRelu: Rule = (c) => {
  const [x] = c.x;
  const alpha = attrFloat(c.node, 'alpha', 0.01);
  const positive = c.op('Cast', [c.op('Greater', [x, c.scalar(0, x)])], { to: c.info(x).dtype });
  const slope = c.op('Add', [c.op('Mul', [positive, c.scalar(1 - alpha, x)]), c.scalar(alpha, x)]);
  return [c.op('Mul', [c.dy[0]!, slope])];
};

/** Slope 1 above 0, alpha·eˣ = y + alpha below. */
const elu: Rule = (c) => {
  const [x] = c.x;
  const alpha = attrFloat(c.node, 'alpha', 1);
  const below = c.op('Add', [c.y[0], c.scalar(alpha, x)]);
  const positive = c.op('Greater', [x, c.scalar(0, x)]);
  return [c.op('Mul', [c.dy[0]!, c.op('Where', [positive, c.scalar(1, x), below])])];
};

export const rectifiers: Record<string, Rule> = { Relu: relu, LeakyRelu: leakyRelu, Elu: elu };
