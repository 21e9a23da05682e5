import fc from 'fast-check';
import { AuroraError } from '../../../src/base/errors';

/** Names of members that every object inherits, and one ordinary name. */
export const HOSTILE = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'valueOf',
  'hasOwnProperty',
  '__defineGetter__',
] as const;

export const name = fc.constantFrom(...HOSTILE, 'rank');

/** JSON text with these keys. An object literal would lose `__proto__`. */
export const object = (entries: readonly (readonly [string, string])[]): string =>
  `{${entries.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')}}`;

/** JSON text whose objects have hostile keys, at any depth. */
export const { json } = fc.letrec<{ json: string; leaf: string; nested: string }>((tie) => ({
  json: fc.oneof({ depthSize: 'small', withCrossShrink: true }, tie('leaf'), tie('nested')),
  leaf: fc.oneof(
    fc.constantFrom('1', '0.5', 'true', 'null', '[]', '{}', '"a"'),
    name.map((n) => JSON.stringify(n)),
  ),
  nested: fc.oneof(
    fc.array(fc.tuple(name, tie('json')), { maxLength: 3 }).map(object),
    fc.array(tie('json'), { maxLength: 2 }).map((items) => `[${items.join(',')}]`),
  ),
}));

/** The prototypes of all objects, arrays, functions and strings, and the constructors themselves. */
const SHARED = [
  Object,
  Array,
  Function,
  String,
  Number,
  Boolean,
  Promise,
  Map,
  Set,
  RegExp,
  Error,
  Uint8Array,
  Float32Array,
].flatMap((made) => [made, made.prototype as object]);

const snapshot = () =>
  SHARED.map((of) => Reflect.ownKeys(of).map((key) => [key, Object.getOwnPropertyDescriptor(of, key)]));

/** True if two snapshots have the same keys with the same values. */
const same = (a: ReturnType<typeof snapshot>, b: ReturnType<typeof snapshot>): boolean =>
  a.every(
    (keys, i) =>
      keys.length === b[i].length &&
      keys.every(([key, property], k) => {
        const [other, after] = b[i][k];
        const [p, q] = [property, after] as PropertyDescriptor[];
        return key === other && Object.is(p.value, q.value) && p.get === q.get && p.set === q.set;
      }),
  );

const untouched = snapshot();

/** @throws Error if anything that all objects share has changed since the start */
export function checkShared(what: string): void {
  const now = snapshot();
  if (same(untouched, now)) return;
  const added = now.flatMap((keys, i) => keys.slice(untouched[i].length).map(([key]) => String(key)));
  for (const of of SHARED) for (const key of added) Reflect.deleteProperty(of, key);
  throw new Error(`${what} changed what all objects share: ${added.join(', ')}`);
}

/**
 * Runs `work`, which must return a result or throw an AuroraError without changing anything that objects
 * share.
 */
export async function handled(what: string, work: () => unknown): Promise<void> {
  try {
    await work();
  } catch (e) {
    if (!(e instanceof AuroraError)) throw e;
  } finally {
    checkShared(what);
  }
}

/** Checks that `work` handles all inputs with such names. */
export const eachHandled = <T>(
  what: string,
  inputs: fc.Arbitrary<T>,
  work: (input: T) => unknown,
  numRuns = 100,
): Promise<void> =>
  fc.assert(
    fc.asyncProperty(inputs, (input) => handled(what, () => work(input))),
    { seed: 12, numRuns },
  );
