import { describe, expect, it } from 'vitest';
import { RankAllocator, type RankSchedule } from '../../../src/adapters/methods/rank-allocator';
import { AuroraError } from '../../../src/base/errors';

/** Layers by name, with inFeatures and outFeatures. */
const LAYERS: Record<string, [number, number]> = { a: [4, 3], b: [3, 5], c: [2, 2] };
const triplets = Object.keys(LAYERS).map((name) => ({ A: `${name}.A`, B: `${name}.B`, E: `${name}.E` }));

/** A made-up number in [−0.5, 0.5). */
function made(seed: number, i: number): number {
  const x = Math.sin((seed * 131 + i) * 12.9898) * 43758.5453;
  return x - Math.floor(x) - 0.5;
}

const sizesOf = (rank: number) =>
  Object.entries(LAYERS).flatMap(([name, [inFeatures, outFeatures]], layer) =>
    [
      [`${name}.A`, rank * inFeatures],
      [`${name}.B`, rank * outFeatures],
      [`${name}.E`, rank],
    ].map(([tensor, size], nth) => ({
      tensor: tensor as string,
      size: size as number,
      seed: layer * 3 + nth + 1,
    })),
  );

class Training {
  allocator: RankAllocator;
  readonly parameters: Map<string, Float32Array>;
  readonly events: string[] = [];

  constructor(readonly schedule: RankSchedule) {
    this.allocator = new RankAllocator(triplets, schedule);
    this.parameters = new Map(
      sizesOf(schedule.rank).map(({ tensor, size }) => [tensor, new Float32Array(size)]),
    );
  }

  /** Every value moves, as with an optimizer with momentum. */
  step(step: number): void {
    const gradients = new Map<string, Float32Array>();
    for (const { tensor, size, seed } of sizesOf(this.schedule.rank)) {
      const p = this.parameters.get(tensor)!;
      for (let i = 0; i < size; i++) p[i] += Math.fround(made(step * 10 + seed, i));
      gradients.set(
        tensor,
        Float32Array.from({ length: size }, (_, i) => made(step * 10 + seed + 499, i)),
      );
    }
    const ranks = this.allocator.stepped(step, this.parameters, gradients);
    if (ranks) this.events.push(`${step}: ${ranks.kept} of ${ranks.of}`);
  }

  get E(): Float32Array[] {
    return triplets.map(({ E }) => this.parameters.get(E)!);
  }

  get inUse(): string {
    return this.E.map((values) => Array.from(values, (v) => (v === 0 ? '0' : '1')).join('')).join(' ');
  }
}

const SLOW: RankSchedule = {
  ...{ rank: 5, target: 2, tinit: 1, tfinal: 3, deltaT: 3, beta1: 0.7, beta2: 0.9, total: 14 },
};
const FAST: RankSchedule = {
  ...{ rank: 3, target: 1, tinit: 0, tfinal: 0, deltaT: 1, beta1: 0.85, beta2: 0.85, total: 6 },
};

/** The E that are not 0 after each step: PEFT's RankAllocator, in float32 and float64, with the values of `made`. */
const PEFT: [string, RankSchedule, string[], number[]][] = [
  [
    'every third step, until three steps before the end',
    SLOW,
    [
      ...['11111 11111 11111', '11111 11111 11111', '11111 01100 11010', '11111 11111 11111'],
      ...['11111 11111 11111', '11101 10000 11000', '11111 11111 11111', '11111 11111 11111'],
      ...['11101 11000 00000', '11111 11111 11111', '11101 11000 00000', '11101 11000 00000'],
      ...['11101 11000 00000', '11101 11000 00000'],
    ],
    [-0.911161, -2.020381, 0.505661, 0, 0.217484, 0.204831, 0.484299, ...new Array<number>(8).fill(0)],
  ],
  [
    'after every step',
    FAST,
    ['111 011 001', '010 010 110', '011 000 100', '101 000 010', '110 000 010', '110 000 010'],
    [-0.530223, -0.23581, 0, 0, 0, 0, 0, 0.314412, 0],
  ],
];

describe.each(PEFT)('ranks are taken away as in PEFT: %s', (_, schedule, inUse, last) => {
  it('after each step', () => {
    const training = new Training(schedule);
    const found = inUse.map((_, i) => {
      training.step(i + 1);
      return training.inUse;
    });
    expect(found).toEqual(inUse);
    training.E.flatMap((values) => [...values]).forEach((v, i) => expect(v).toBeCloseTo(last[i], 5));
  });

  it.each(inUse.map((_, i) => i + 1))('to the same bits where its state is saved after step %i', (at) => {
    const whole = new Training(schedule);
    const resumed = new Training(schedule);
    for (let step = 1; step <= schedule.total; step++) {
      whole.step(step);
      resumed.step(step);
      if (step !== at) continue;
      const state = resumed.allocator.state();
      resumed.allocator = new RankAllocator(triplets, schedule);
      resumed.allocator.load(state);
    }
    expect(resumed.parameters).toEqual(whole.parameters);
    expect(resumed.allocator.state()).toEqual(whole.allocator.state());
    expect(resumed.events).toEqual(whole.events);
  });
});

it('each change of the number of ranks is reported', () => {
  const training = new Training(SLOW);
  for (let step = 1; step <= SLOW.total; step++) training.step(step);
  expect(training.events).toEqual(['3: 10 of 15', '6: 7 of 15', '9: 6 of 15']);
});

it('the state is a copy that later steps leave as it was', () => {
  const training = new Training(FAST);
  training.step(1);
  const state = training.allocator.state();
  const before = new Map(Array.from(state, ([name, values]) => [name, values.slice()]));
  training.step(2);
  expect(state).toEqual(before);
  expect(training.allocator.state()).not.toEqual(before);
});

it('the target is reached even if the step at which it is due was skipped', () => {
  const training = new Training(SLOW);
  for (const step of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12]) training.step(step);
  expect(training.inUse.replaceAll(/[0 ]/g, '')).toHaveLength(6);
});

it('with a target of the rank at the start, all ranks stay', () => {
  const training = new Training({ ...FAST, target: 3 });
  for (let step = 1; step <= 6; step++) training.step(step);
  expect([training.inUse, training.events]).toEqual(['111 111 111', []]);
});

it.each<[Partial<RankSchedule>, RegExp]>([
  [{ target: 6 }, /adapter\.targetRank is 6, above adapter\.rank 5/],
  [{ tinit: 11 }, /has 14 steps\. With adapter\.tinit 11 and adapter\.tfinal 3, no step is left/],
  [{ tinit: 0, tfinal: 13 }, /With adapter\.tinit 0 and adapter\.tfinal 13, no step is left/],
])('a schedule of %o is rejected', (over, message) => {
  const make = () => new RankAllocator(triplets, { ...SLOW, ...over });
  expect(make).toThrow(AuroraError);
  expect(make).toThrow(message);
});
