import type { Draw } from './draw';

/** Damage as caused by disks, transfers and editors. */
const BYTE_DAMAGE: ((draw: Draw, bytes: Buffer) => Buffer)[] = [
  // Flipped bits.
  (draw, bytes) => {
    const out = Buffer.from(bytes);
    for (let n = 1 + draw.int(8); n > 0; n--) out[draw.int(out.length)]! ^= 1 << draw.int(8);
    return out;
  },
  // A truncated tail.
  (draw, bytes) => bytes.subarray(0, draw.int(bytes.length)),
  // A block of zeros, as after a power cut.
  (draw, bytes) => {
    const out = Buffer.from(bytes);
    const at = draw.int(out.length);
    out.fill(draw.pick([0, 0xff, 0x20]), at, Math.min(out.length, at + 1 + draw.int(512)));
    return out;
  },
  // A missing piece.
  (draw, bytes) => {
    const at = draw.int(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + draw.int(64))]);
  },
  // A duplicated piece.
  (draw, bytes) => {
    const at = draw.int(bytes.length);
    const piece = bytes.subarray(at, at + 1 + draw.int(256));
    return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)]);
  },
  // Inserted noise.
  (draw, bytes) => {
    const at = draw.int(bytes.length);
    const noise = Buffer.from(Array.from({ length: 1 + draw.int(32) }, () => draw.int(256)));
    return Buffer.concat([bytes.subarray(0, at), noise, bytes.subarray(at)]);
  },
];

export const damagedBytes = (draw: Draw, bytes: Buffer): Buffer =>
  bytes.length === 0 ? Buffer.from([draw.int(256)]) : draw.pick(BYTE_DAMAGE)(draw, bytes);

const NAMES = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'prototype',
  '',
  '..',
  'a\\..\\..\\x',
];

const VALUES: (() => unknown)[] = [
  () => null,
  () => true,
  () => 0,
  () => -1,
  () => 0.5,
  () => 1e308,
  () => 2 ** 53,
  () => '',
  () => '\u0000',
  () => '../../outside',
  () => 'x'.repeat(100_000),
  () => [],
  () => [true],
  () => [null, -1, 'x'],
  () => ({}),
  () => JSON.parse('{"__proto__": {"polluted": true}}') as unknown,
  () => nested(5000),
];

function nested(depth: number): unknown {
  let value: unknown = 0;
  for (let i = 0; i < depth; i++) value = [value];
  return value;
}

type Place = { holder: Record<string, unknown> | unknown[]; key: string | number };

/** Changes a few places of a JSON value: different types or names, missing and duplicate members. */
export function damagedJson(draw: Draw, value: unknown): unknown {
  const out = structuredClone(value);
  for (let n = 1 + draw.int(3); n > 0; n--) {
    const places = placesOf(out);
    if (places.length === 0) return draw.pick(VALUES)();
    damageAt(draw, draw.pick(places));
  }
  return out;
}

function damageAt(draw: Draw, { holder, key }: Place): void {
  if (Array.isArray(holder)) {
    const at = key as number;
    if (draw.int(3) === 0) holder.splice(at, 1);
    else holder[at] = draw.pick(VALUES)();
    return;
  }
  const kind = draw.int(4);
  if (kind === 0) delete holder[key];
  else if (kind === 1) own(holder, draw.pick(NAMES), holder[key]);
  else if (kind === 2) own(holder, draw.pick(NAMES), draw.pick(VALUES)());
  else own(holder, key as string, draw.pick(VALUES)());
}

/** Sets a member as JSON.parse does, where `__proto__` becomes an ordinary member. */
const own = (holder: object, key: string, value: unknown): unknown =>
  Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true });

/** The most places that are listed. A tokenizer's vocabulary has tens of thousands of similar ones. */
const MOST_PLACES = 20_000;

function placesOf(root: unknown): Place[] {
  const places: Place[] = [];
  const queue: unknown[] = [root];
  for (let i = 0; i < queue.length && places.length < MOST_PLACES; i++) {
    const holder = queue[i];
    if (typeof holder !== 'object' || holder === null) continue;
    for (const key of Object.keys(holder)) {
      places.push({
        holder: holder as Place['holder'],
        key: Array.isArray(holder) ? Number(key) : key,
      });
      queue.push((holder as Record<string, unknown>)[key]);
    }
  }
  return places;
}
