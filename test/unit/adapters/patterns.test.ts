import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Matcher, NO_MATCH, valueOf } from '../../../src/adapters/patterns/matcher';
import { mostSteps, matchAhead, matchAll } from '../../../src/adapters/patterns/patterns';
import { selectLayers } from '../../../src/adapters/targets/select';
import {
  fromPattern,
  matchTargets,
  patternsOf,
  type ModuleSpec,
} from '../../../src/adapters/targets/targets';
import { adapterDefaults } from '../../../src/experiment/adapter-defaults';
import { AuroraError } from '../../../src/base/errors';
import type { LoraSpec } from '../../../src/experiment/methods';

const PATHS = Array.from({ length: 24 }, (_, i) =>
  ['query', 'key', 'value'].map(
    (name) => `encoder.layer.${i}.attention.self.${name}_projection_of_the_input`,
  ),
).flat();
const LAYERS = PATHS.map((path) => ({ path, inFeatures: 8, outFeatures: 8 }));

/** Each of these would take hours on one of the paths. */
const EVIL = [
  '(\\w+\\.?)+!',
  '(.*)*!',
  '([\\w.]|\\w)+!',
  '(?=([\\w.]+)+!).*',
  '(?:[\\w.]{1,9}){1,99}!',
  '.*.*.*.*.*.*.*.*.*.*!',
  '(\\w+\\.?)*(\\w+\\.?)*!',
];
let made = 0;
/** A pattern that this process has not matched yet, because results are cached per expression. */
const unknown = (pattern: string) => `(?!${'x'.repeat(++made)}%)${pattern}`;
const lora = (over: Partial<LoraSpec>): LoraSpec => ({
  ...(adapterDefaults('lora') as unknown as LoraSpec),
  targetModules: ['query_projection_of_the_input'],
  ...over,
});

function refusal(action: () => unknown): string {
  try {
    action();
  } catch (e) {
    expect(e).toBeInstanceOf(AuroraError);
    expect((e as AuroraError).kind).toBe('targets');
    return (e as AuroraError).message;
  }
  throw new Error('nothing was thrown');
}

afterEach(() => vi.restoreAllMocks());

describe('a regular expression that takes too long', () => {
  it.each(EVIL)('is reported by name: %s', (evil) => {
    const pattern = unknown(evil);
    const message = refusal(() => matchTargets(PATHS, { targetModules: pattern }));
    expect(message).toContain(
      `adapter.targetModules: the regular expression "${pattern}" takes more than 100 ms`,
    );
  });

  it.each<[string, (pattern: string) => Partial<LoraSpec>]>([
    ['targetModules', (p) => ({ targetModules: p })],
    ['excludeModules', (p) => ({ excludeModules: p })],
    ['layersPattern', (p) => ({ layersToTransform: [1], layersPattern: p })],
    ['rankPattern', (p) => ({ rankPattern: { [p]: 4 } })],
    ['alphaPattern', (p) => ({ alphaPattern: { [p]: 4 } })],
  ])('is reported in %s', (key, over) => {
    const spec = lora(over(unknown(EVIL[0])));
    const choose = () => selectLayers(LAYERS, { outputs: [], unreached: [] }, spec);
    expect(refusal(choose)).toContain(`adapter.${key}: the regular expression`);
  });

  it('is not retried immediately', () => {
    const pattern = unknown(EVIL[0]);
    refusal(() => matchTargets(PATHS, { targetModules: pattern }));
    const wait = vi.spyOn(Atomics, 'wait');
    refusal(() => matchTargets(PATHS, { targetModules: pattern }));
    expect(wait).not.toHaveBeenCalled();
  });

  it('does not prevent other expressions from being matched', () => {
    refusal(() => matchTargets(PATHS, { targetModules: unknown(EVIL[0]) }));
    expect(matchTargets(PATHS, { targetModules: unknown('(\\w+\\.)+query_.*') }).matched).toHaveLength(24);
  });
});

describe('matching ahead', () => {
  it('does not block this thread, however many expressions take too long', async () => {
    const wait = vi.spyOn(Atomics, 'wait');
    let [turns, going] = [0, true];
    const turn = () => {
      turns++;
      if (going) setImmediate(turn);
    };
    turn();
    for (const evil of EVIL) {
      const before = turns;
      const spec: ModuleSpec = { targetModules: unknown(evil), rankPattern: { [unknown(evil)]: 4 } };
      await matchAhead(patternsOf(spec), PATHS);
      // If the thread waited for matches, it would get a turn only before and after each of them.
      expect(turns - before).toBeGreaterThan(20);
      expect(refusal(() => matchTargets(PATHS, spec))).toContain(
        JSON.stringify(spec.targetModules).slice(1, 20),
      );
    }
    going = false;
    expect(wait).not.toHaveBeenCalled();
  });

  it('prepares all answers, also for several requests at once', async () => {
    const specs = ['key', 'value', 'self'].map((name): ModuleSpec => ({
      targetModules: unknown(`(\\w+\\.)+\\w*${name}\\w*`),
      layersToTransform: [3, 4],
    }));
    await Promise.all(specs.map((spec) => matchAhead(patternsOf(spec), PATHS)));
    const wait = vi.spyOn(Atomics, 'wait');
    expect(specs.map((spec) => matchTargets(PATHS, spec).matched.length)).toEqual([2, 2, 0]);
    expect(wait).not.toHaveBeenCalled();
  });

  it('reports a thread that cannot start and matches the next expression', async () => {
    vi.spyOn(Worker.prototype, 'postMessage').mockImplementationOnce(() => {
      throw new Error('no more threads');
    });
    const [first, second] = [1, 2].map((): ModuleSpec => ({
      targetModules: unknown('(\\w+\\.)+query_.*'),
    }));
    await matchAhead(patternsOf(first!), PATHS);
    expect(refusal(() => matchTargets(PATHS, first!))).toContain(
      'adapter.targetModules: the worker thread that matches the regular expression failed: no more threads.',
    );
    await matchAhead(patternsOf(second!), PATHS);
    expect(matchTargets(PATHS, second!).matched).toHaveLength(24);
  });

  it('leaves an invalid expression to be reported when its matches are requested', async () => {
    const spec: ModuleSpec = { targetModules: '(' };
    await matchAhead(patternsOf(spec), PATHS);
    expect(refusal(() => matchTargets(PATHS, spec))).toContain('not a valid regular expression');
  });
});

describe('the expressions of one adapter', () => {
  /** The milliseconds allowed for each query if the answers take these times. */
  function given(spec: ModuleSpec, took: readonly (number | 'late')[]): number[] {
    const matching = matchAll(patternsOf(spec), PATHS);
    const milliseconds: number[] = [];
    for (let next = matching.next(); !next.done;) {
      const time = took[milliseconds.length]!;
      milliseconds.push(next.value[1]);
      const values = new Float64Array(next.value[0].paths.length).fill(NO_MATCH);
      next = matching.next(time === 'late' ? { is: 'late' } : { is: 'answered', values, milliseconds: time });
    }
    return milliseconds;
  }
  const rankPattern = (written: readonly string[]) =>
    Object.fromEntries(written.map((pattern) => [pattern, 4]));

  it('share 100 ms, and the error names the one that took most of them', () => {
    const [fast, slow, last, never] = ['(a+)+b', '(a+)+c', '(a+)+d', '(a+)+e'].map(unknown);
    const spec = lora({ rankPattern: rankPattern([fast!, slow!, last!, never!]) });
    expect(given(spec, [5, 60, 'late'])).toEqual([100, 95, 35]);
    const message = refusal(() => selectLayers(LAYERS, { outputs: [], unreached: [] }, spec));
    expect(message).toContain(
      `adapter.rankPattern: the regular expression "${slow}" and 2 faster ones together take more than 100 ms`,
    );
  });

  it('count the time of expressions matched earlier, so that the result stays the same', () => {
    const [first, second] = ['(a+)+b', '(a+)+c'].map(unknown);
    expect(given({ targetModules: [], rankPattern: rankPattern([first!]) }, [70])).toEqual([100]);
    const both: ModuleSpec = { targetModules: [], rankPattern: rankPattern([first!, second!]) };
    expect(given(both, [10])).toEqual([30]);
  });

  it('share the step limit for matching on this thread', () => {
    // Each alone takes so few steps that it is matched on this thread.
    const one = () => unknown('(q|k)');
    expect(given({ targetModules: [], rankPattern: rankPattern([one()]) }, [])).toHaveLength(0);
    const many = rankPattern(Array.from({ length: 300 }, one));
    const asked = given({ targetModules: [], rankPattern: many }, Array<number>(300).fill(0.1));
    expect(asked.length).toBeGreaterThan(200);
  });

  it('need no matching if they are plain names', () => {
    const names = Array.from({ length: 2000 }, (_, i) => `encoder.layer.${i}.attention.self.query-${i}`);
    expect(given({ targetModules: [], rankPattern: rankPattern(names) }, [])).toEqual([]);
  });
});

describe('a plain name in rankPattern', () => {
  it('matches the same paths as it does as a regular expression', () => {
    const text = (unit: string[]) =>
      fc.string({ unit: fc.constantFrom(...unit), minLength: 1, maxLength: 5 });
    const path = text(['a', 'b', '.', '-', '\n']);
    fc.assert(
      fc.property(text(['a', 'b', '.', '-']), path, (name, at) => {
        const matched = fromPattern(at, { [name]: 1 }, 0, 'rankPattern') === 1;
        expect(matched).toBe(new RegExp(`^(?:.*\\.)?(?:${name})$`).test(at));
      }),
      { numRuns: 2000 },
    );
  });
});

describe("the worker's matches", () => {
  const atom = fc.constantFrom(
    'a',
    'b',
    '\\.',
    '.',
    '\\w',
    '[^.]',
    '(?=a)',
    '(?!b)',
    '(?<=a)',
    '\\d',
    '$',
    '\\b',
  );
  const expression = fc.letrec<{ any: string }>((tie) => ({
    any: fc.oneof(
      { maxDepth: 3 },
      atom,
      fc.tuple(tie('any'), tie('any')).map(([a, b]) => a + b),
      fc.tuple(tie('any'), tie('any')).map(([a, b]) => `(${a}|${b})`),
      fc.tuple(tie('any'), fc.constantFrom('*', '+', '?', '*?', '{1,2}')).map(([a, q]) => `(?:${a})${q}`),
    ),
  })).any;
  const path = fc.string({ unit: fc.constantFrom('a', 'b', '.', '7'), maxLength: 6 });

  it('equal the matches on this thread', () => {
    const matcher = new Matcher();
    fc.assert(
      fc.property(expression, fc.array(path, { maxLength: 5 }), fc.boolean(), (text, paths, number) => {
        const source = number ? `${text}\\.(\\d+)` : `^(?:${text})$`;
        const answer = matcher.askAndWait({ source, number, paths }, 10_000);
        expect(answer).toMatchObject({ is: 'answered' });
        const here = paths.map((p) => valueOf(new RegExp(source), p, number));
        if (answer.is === 'answered') expect([...answer.values]).toEqual(here);
      }),
    );
  });

  it('are not given up when a notification arrives during the next wait', () => {
    // As between the worker's store of a state and its notification of it.
    const wait = Atomics.wait.bind(Atomics);
    let woken = 0;
    vi.spyOn(Atomics, 'wait').mockImplementation(((
      cells: Int32Array,
      at: number,
      value: number,
      ms: number,
    ) => {
      if (value === 1 && woken++ < 3) return 'ok';
      return wait(cells, at, value, ms);
    }) as typeof Atomics.wait);
    const slow = { source: '(?:a+)+b', number: false, paths: ['a'.repeat(24)] };
    const answer = new Matcher().askAndWait(slow, 60_000);
    expect(answer.is).toBe('answered');
    expect(woken).toBeGreaterThan(0);
  });

  it('are empty when the first group holds no number', () => {
    const value = (source: string, text: string) => valueOf(new RegExp(source), text, true);
    expect(value('(\\d+)', 'a.12')).toBe(12);
    expect([value('(a)|(\\d+)', '12'), value('(a)', 'a'), value('b', 'a')]).toEqual([
      NO_MATCH,
      NO_MATCH,
      NO_MATCH,
    ]);
  });
});

describe('the estimated maximum of steps', () => {
  it('is low for common expressions and very high for ambiguous ones', () => {
    for (const usual of [
      'query|value',
      '.*\\.(query|value)',
      '.*attention\\.self\\.(q|k|v)\\w*',
      '(?!.*lm_head).*',
    ])
      expect([usual, mostSteps(`^(?:${usual})$`, 60) < 2e6]).toEqual([usual, true]);
    for (const evil of EVIL) expect([evil, mostSteps(evil, 60) > 1e9]).toEqual([evil, true]);
    for (const evil of [
      '(a|b)*',
      '(a)\\1',
      '(?<n>a)\\k<n>',
      '(a+)+',
      '(?:a{2}){2}',
      'a|'.repeat(30) + '(a|a)'.repeat(40),
    ])
      expect([evil, mostSteps(evil, 60) > 1e9]).toEqual([evil, true]);
  });
});
