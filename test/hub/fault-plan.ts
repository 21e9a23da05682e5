import type { Fault } from './faults';
import type { Request } from './server';

export interface Dice {
  /** In [0, 1). */
  next(): number;
  /** In [0, n). */
  below(n: number): number;
}

/** mulberry32: a seed gives the same plan everywhere. */
export function dice(seed: number): Dice {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return { next, below: (n) => Math.floor(next() * n) };
}

/** Makes a fault for an answer of so many bytes. */
type Make = (length: number, at: number) => Fault;

const status =
  (code: number, headers?: Record<string, string>): Make =>
  () => ({ kind: 'status', status: code, headers });
const part = (length: number, at: number) => Math.floor(length * at);

const gated = (code: number) =>
  status(code, { 'x-error-code': 'GatedRepo', 'x-error-message': 'restricted' });
const busy = [
  status(429, { 'retry-after': '0' }),
  status(429, { 'retry-after': 'Thu, 01 Jan 2026 00:00:00 GMT' }),
  status(429, {
    ratelimit: '"resolvers";r=0;t=0',
    'ratelimit-policy': '"fixed window";"resolvers";q=3000;w=300',
  }),
];
const down = [500, 502, 503, 504].map((code) => status(code));
const hangUp: Make = () => ({ kind: 'hang up' });
const cut: Make = (length, at) => ({ kind: 'cut', after: part(length, at) });
const cutShort: Make = (length, at) => ({ kind: 'cut without length', after: part(length, at) });
const stall: Make = (length, at) => ({ kind: 'stall', after: part(length, at) });
const slow: Make = () => ({ kind: 'slow', pauseMs: 20, pieces: 6 });
const wrongBytes: Make = (length, at) => ({ kind: 'wrong bytes', at: part(length, at) });
const shorter: Make = (length) => ({ kind: 'wrong length', by: -Math.ceil(length / 3) });
const longer: Make = () => ({ kind: 'wrong length', by: 777 });
const wrongPart: Make = () => ({ kind: 'wrong part', by: 16 });

const times = (n: number, ...makes: Make[]): Make[] =>
  Array.from({ length: n }, (_, i) => makes[i % makes.length]);

/** The hub's API. A gated or missing repository ends the program. */
const API = [
  ...times(6, ...busy),
  ...times(8, ...down),
  ...times(4, hangUp),
  ...times(4, cut, stall),
  ...times(3, gated(401), gated(403), status(404, { 'x-error-code': 'RepoNotFound' })),
  status(429, { 'retry-after': '1' }),
];

/** The hub's answer that redirects to the storage. */
const REDIRECT = [
  ...times(6, ...busy),
  ...times(8, ...down),
  ...times(6, status(404)),
  ...times(4, hangUp),
  ...times(2, gated(401), gated(403)),
];

/** The bytes themselves. */
const CONTENT = [
  ...times(40, cut),
  ...times(8, cutShort),
  ...times(6, stall),
  ...times(16, shorter, longer),
  ...times(6, wrongPart),
  ...times(8, status(416, { 'content-range': 'bytes */5' })),
  ...times(8, status(403)),
  ...times(6, status(404)),
  ...times(16, ...down),
  ...times(9, ...busy),
  ...times(13, hangUp),
];

/** Each costs a download of the whole file. */
const WRONG_BYTES = 6;

/** After these the block has arrived, so they are the last of theirs. */
const SLOW = 6;

/**
 * Two hundred faults, each of which is sure to happen: those of the content belong to a block of a file, which is served
 * only when they are used up; the others come with every few requests.
 */
export class FaultPlan {
  readonly injected: Record<string, number> = {};
  private readonly api: Make[];
  private readonly redirect: Make[];
  private readonly blocks = new Map<string, Make[]>();

  /**
   * @param files sizes by path
   * @param block bytes of a block
   * @param spoil files that get wrong bytes, one after the other
   */
  constructor(
    private readonly random: Dice,
    files: ReadonlyMap<string, number>,
    private readonly block: number,
    spoil: readonly string[],
  ) {
    this.api = shuffled(API, random);
    this.redirect = shuffled(REDIRECT, random);
    const places = [...files].flatMap(([path, size]) =>
      Array.from({ length: Math.ceil(size / block) }, (_, i) => `${path} ${i}`),
    );
    const add = (place: string, make: Make) =>
      this.blocks.set(place, [...(this.blocks.get(place) ?? []), make]);
    for (const make of shuffled(CONTENT, random)) add(places[random.below(places.length)], make);
    for (let i = 0; i < WRONG_BYTES; i++) {
      const path = spoil[i % spoil.length]!;
      add(`${path} ${random.below(Math.ceil(files.get(path)! / block))}`, wrongBytes);
    }
    for (const place of shuffled(places, random).slice(0, SLOW)) add(place, slow);
  }

  /** The number of faults that have not happened yet. */
  get left(): number {
    return [this.api, this.redirect, ...this.blocks.values()].reduce((sum, { length }) => sum + length, 0);
  }

  get total(): number {
    return Object.values(this.injected).reduce((sum, n) => sum + n, 0);
  }

  next({ route, file, start, end, message }: Request): Fault | undefined {
    if (route === 'info' || route === 'tree') return this.sometimes(this.api, 400);
    if (route === 'redirect') return this.sometimes(this.redirect, 0);
    if (!file || start === undefined || end === undefined || !message.headers.range) return undefined;
    const make = this.blocks.get(`${file.path} ${Math.floor(start / this.block)}`)?.shift();
    return make && this.use(make, end - start);
  }

  private sometimes(queue: Make[], length: number): Fault | undefined {
    if (queue.length === 0 || this.random.next() > 0.4) return undefined;
    return this.use(queue.shift()!, length);
  }

  private use(make: Make, length: number): Fault {
    const fault = make(length, this.random.next());
    const name = fault.kind === 'status' ? String(fault.status) : fault.kind;
    this.injected[name] = (this.injected[name] ?? 0) + 1;
    return fault;
  }
}

function shuffled<T>(items: readonly T[], random: Dice): T[] {
  const all = [...items];
  for (let i = all.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [all[i], all[j]] = [all[j]!, all[i]!];
  }
  return all;
}
