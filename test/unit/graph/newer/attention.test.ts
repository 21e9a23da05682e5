import fc from 'fast-check';
import { describe, it } from 'vitest';
import { DType } from '../../../../src/graph/dtype';
import { host, input } from '../onnx-models';
import { expectSameAsKernel, random } from './kernel';

const { float, float16, bool, int64 } = DType;

const cases = fc.record({
  opset: fc.constantFrom(23, 24),
  flat: fc.boolean(),
  declared: fc.boolean(),
  half: fc.boolean(),
  batch: fc.integer({ min: 1, max: 3 }),
  kvHeads: fc.integer({ min: 1, max: 3 }),
  groups: fc.integer({ min: 1, max: 3 }),
  queries: fc.integer({ min: 1, max: 4 }),
  keys: fc.integer({ min: 1, max: 5 }),
  width: fc.integer({ min: 1, max: 4 }),
  valueWidth: fc.integer({ min: 1, max: 3 }),
  past: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
  mask: fc.constantFrom<'bool' | 'float' | undefined>('bool', 'float', undefined),
  maskRank: fc.integer({ min: 2, max: 4 }),
  maskHeads: fc.boolean(),
  causal: fc.boolean(),
  nonpad: fc.boolean(),
  scale: fc.option(fc.constantFrom(0.1, 0.7, 1), { nil: undefined }),
  softcap: fc.option(fc.constantFrom(0.5, 3), { nil: undefined }),
  scores: fc.option(fc.constantFrom(0, 1, 2, 3), { nil: undefined }),
  seed: fc.integer({ min: 1, max: 1e6 }),
});

describe('Attention of ai.onnx, written out', () => {
  it("gives the numbers of ONNX Runtime's kernel", () =>
    fc.assert(
      fc.asyncProperty(cases, async (c) => {
        const heads = c.kvHeads * c.groups;
        const shape = (n: number, s: number, w: number) =>
          c.flat ? [c.batch, s, n * w] : [c.batch, n, s, w];
        const dtype = c.half ? float16 : float;
        const nonpad = c.nonpad && c.opset === 24 && c.past === undefined;
        // With a cache, a text's own queries and keys are the same tokens.
        const keys = c.past ? c.queries : c.keys;
        const total = keys + (c.past ?? 0);
        const maskShape = [c.batch, c.maskHeads ? heads : 1, c.queries, total].slice(4 - c.maskRank);
        const feeds = {
          q: random(shape(heads, c.queries, c.width), c.seed, dtype),
          k: random(shape(c.kvHeads, keys, c.width), c.seed + 1, dtype),
          v: random(shape(c.kvHeads, keys, c.valueWidth), c.seed + 2, dtype),
          ...(c.mask === 'bool' ? { m: random(maskShape, c.seed + 3, bool) } : {}),
          ...(c.mask === 'float' ? { m: masked(maskShape, c.seed + 3, dtype) } : {}),
          ...(c.past
            ? {
                pk: random([c.batch, c.kvHeads, c.past, c.width], c.seed + 4, dtype),
                pv: random([c.batch, c.kvHeads, c.past, c.valueWidth], c.seed + 5, dtype),
              }
            : {}),
          ...(nonpad ? { n: lengths(c.batch, c.keys, c.seed + 6) } : {}),
        };
        await expectSameAsKernel({
          op: 'Attention',
          opset: c.opset,
          feeds,
          inputs: ['q', 'k', 'v', 'm', 'pk', 'pv', 'n'],
          // ONNX Runtime requires the outputs of a cache that it reads.
          outputs: [
            'y',
            ...(c.past ? ['present.k', 'present.v'] : ['', '']),
            ...(c.scores !== undefined ? ['s'] : []),
          ],
          attributes: {
            is_causal: c.causal ? 1 : undefined,
            q_num_heads: c.flat ? heads : undefined,
            kv_num_heads: c.flat ? c.kvHeads : undefined,
            scale: c.scale === undefined ? undefined : { float: c.scale },
            softcap: c.softcap === undefined ? undefined : { float: c.softcap },
            qk_matmul_output_mode: c.scores,
          },
          // Without declared sizes, the graph reads them when it runs.
          declare: (name, t) =>
            input(name, t.dtype, c.declared ? t.dims : t.dims.map((_, i) => `${name}${i}`)),
          skip: c.scores === 2 ? ['s'] : [],
          tolerance: c.half ? 2e-2 : undefined,
        });
      }),
      { numRuns: 40 },
    ));
});

/** Numbers, some of them −∞, in some rows all. */
function masked(dims: number[], seed: number, dtype: number) {
  const { data } = random(dims, seed);
  const bits = random(dims, seed + 50, bool);
  const rows = random(dims.slice(0, -1), seed + 60, bool);
  const width = dims.at(-1)!;
  const open = (i: number) => Number(bits.data[i]) && Number(rows.data[Math.floor(i / width)]);
  return host(
    dims,
    Array.from(data as Float32Array, (v, i) => (open(i) ? v : -Infinity)),
    dtype,
  );
}

function lengths(batch: number, keys: number, seed: number) {
  const t = random([batch], seed, int64);
  t.data = (t.data as BigInt64Array).map(
    (v) => ((v % BigInt(keys + 1)) + BigInt(keys + 1)) % BigInt(keys + 1),
  );
  return t;
}
