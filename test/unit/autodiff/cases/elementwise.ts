import fc from 'fast-check';
import type { GraphBuilder } from '../../../../src/graph/builder';
import { DType } from '../../../../src/graph/dtype';
import {
  broadcastPair,
  broadcastTo,
  double,
  openLabels,
  shape,
  unary,
  type Case,
  type Input,
} from '../problem';

const binary = (op: string, a: Input['values'] = 'any', b: Input['values'] = 'any'): Case =>
  fc.record({ shapes: broadcastPair, open: openLabels }).map(({ shapes, open }) => ({
    inputs: { x: { shape: shapes[0], values: a }, z: { shape: shapes[1], values: b } },
    build: (g: GraphBuilder) => [g.op(op, ['x', 'z'])],
    open,
  }));

const simple = (op: string, values: Input['values'] = 'any'): Case =>
  unary((g, x) => g.op(op, [x]), values, 0);

/** Three inputs that broadcast to one shape; the first has the full shape. */
const three = (op: string, values: Input['values']): Case =>
  shape(1, 3)
    .chain((full) =>
      fc.record({ x: fc.constant(full), y: broadcastTo(full), z: broadcastTo(full), open: openLabels }),
    )
    .map(({ x, y, z, open }) => ({
      inputs: { x: { shape: x, values }, y: { shape: y, values }, z: { shape: z, values } },
      build: (g) => [g.op(op, ['x', 'y', 'z'])],
      open,
    }));

const constantPower: Case = fc
  .constantFrom(0, 0.5, 1, 2, 3, -1, 2.5)
  .chain((p) => unary((g, x) => g.op('Pow', [x, double(g, p)]), 'positive', 0));

const floatExponent: Case = unary((g, x) => g.op('Pow', [x, g.scalar(2, DType.float)]));

/** One bound or both, with some values outside. */
const clip: Case = fc
  .constantFrom([-0.9, 0.8], [-0.9, undefined], [undefined, 0.8])
  .chain(([low, high]) =>
    unary(
      (g, x) =>
        g.op('Clip', [x, low === undefined ? '' : double(g, low), high === undefined ? '' : double(g, high)]),
      'distinct',
    ),
  );

const where: Case = shape(1, 3)
  .chain((full) =>
    fc.record({ c: broadcastTo(full), x: broadcastTo(full), z: fc.constant(full), open: openLabels }),
  )
  .map(({ c, x, z, open }) => ({
    inputs: { c: { shape: c, dtype: DType.bool }, x: { shape: x }, z: { shape: z } },
    build: (g) => [g.op('Where', ['c', 'x', 'z'])],
    open,
  }));

export const elementwise: Record<string, Case> = {
  Add: binary('Add'),
  Sub: binary('Sub'),
  Mul: binary('Mul'),
  Div: binary('Div', 'any', 'positive'),
  Sum: three('Sum', 'any'),
  Pow: fc.oneof(binary('Pow', 'positive'), constantPower, floatExponent),
  Max: fc.oneof(binary('Max', 'distinct', 'distinct'), three('Max', 'distinct')),
  Min: fc.oneof(binary('Min', 'distinct', 'distinct'), three('Min', 'distinct')),
  Clip: clip,
  Where: where,
  Neg: simple('Neg'),
  Abs: simple('Abs', 'away'),
  Reciprocal: simple('Reciprocal', 'positive'),
  Sqrt: simple('Sqrt', 'positive'),
  Exp: simple('Exp'),
  Log: simple('Log', 'positive'),
  Sin: simple('Sin'),
  Cos: simple('Cos'),
  Tanh: simple('Tanh'),
  Sigmoid: simple('Sigmoid'),
  Relu: simple('Relu', 'away'),
};
