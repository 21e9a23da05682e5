import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromPattern, matchTargets, nearestPaths } from '../../../../src/adapters/targets/targets';

const PATHS = [
  'encoder.layer.0.attention.self.query',
  'encoder.layer.0.attention.self.value',
  'encoder.layer.0.output.dense',
  'encoder.layer.1.attention.self.query',
  'encoder.layer.1.attention.self.value',
  'encoder.layer.1.output.dense',
  'query',
  'my_query',
  'classifier',
];

describe('target modules as in PEFT', () => {
  it('matches a list exactly or by path ending, not by name ending', () => {
    expect(matchTargets(PATHS, { targetModules: ['query'] }).matched).toEqual([PATHS[0], PATHS[3], 'query']);
  });

  it('matches a string against the whole path', () => {
    expect(matchTargets(PATHS, { targetModules: 'query' }).matched).toEqual(['query']);
    expect(matchTargets(PATHS, { targetModules: '.*\\.(query|value)' }).matched).toHaveLength(4);
    expect(matchTargets(PATHS, { targetModules: 'layer' }).matched).toEqual([]);
  });

  it('takes all linear layers except the output layer', () => {
    const all = matchTargets(PATHS, { targetModules: 'all-linear' }, ['classifier']).matched;
    expect(all).toEqual(PATHS.filter((p) => p !== 'classifier'));
  });

  it('gives excludeModules precedence', () => {
    const spec = { targetModules: ['query'], excludeModules: '.*layer\\.0.*' };
    expect(matchTargets(PATHS, spec).matched).toEqual([PATHS[3], 'query']);
  });

  it('limits the match to the layer indices', () => {
    const spec = { targetModules: ['query', 'value'], layersToTransform: [1] };
    expect(matchTargets(PATHS, spec).matched).toEqual([PATHS[3], PATHS[4]]);
    expect(matchTargets(PATHS, { ...spec, layersPattern: 'block' }).matched).toEqual([]);
    expect(matchTargets(['layer.1.query'], spec).matched).toEqual(['layer.1.query']);
  });

  it('gives the same result for a list as for each of its entries on each path', () => {
    const name = fc.string({ unit: fc.constantFrom('a', 'b', '.'), minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(fc.array(name, { minLength: 1 }), fc.array(name), (entries, paths) => {
        const is = (path: string, entry: string) => path === entry || path.endsWith(`.${entry}`);
        expect(matchTargets(paths, { targetModules: entries })).toEqual({
          matched: paths.filter((p) => entries.some((e) => is(p, e))),
          unmatched: entries.filter((e) => !paths.some((p) => is(p, e))),
        });
      }),
    );
  });

  it('reports the list entries that matched nothing', () => {
    expect(matchTargets(PATHS, { targetModules: ['query', 'vlaue'] }).unmatched).toEqual(['vlaue']);
    expect(nearestPaths('vlaue', PATHS, 1)[0]).toMatch(/value$/);
  });

  it('takes the first pattern that matches the path or its ending', () => {
    const pattern = { 'layer.0.*.query': 1, query: 4, value: 8 };
    expect(fromPattern(PATHS[0], pattern, 2, 'rankPattern')).toBe(1);
    expect(fromPattern(PATHS[3], pattern, 2, 'rankPattern')).toBe(4);
    expect(fromPattern('classifier', pattern, 2, 'alphaPattern')).toBe(2);
  });

  it('reports an invalid regular expression', () => {
    expect(() => matchTargets(PATHS, { targetModules: '(' })).toThrow(/regular expression/);
  });
});
