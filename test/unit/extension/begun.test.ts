import { describe, expect, it } from 'vitest';
import { BeginWatch } from '../../../src/extension/tree/begun';

const run = (folder: string, experiment: string, active = false) => ({ folder, experiment, active });

describe('where something has begun', () => {
  it('the first look finds nothing new', () => {
    expect(new BeginWatch().look([run('1', 'a', true)])).toEqual([]);
  });

  it('the first run of an experiment, running or not', () => {
    const watch = new BeginWatch();
    watch.look([run('1', 'a')]);
    expect(watch.look([run('1', 'a'), run('2', 'b'), run('3', 'b')])).toEqual(['b']);
    expect(watch.look([run('1', 'a'), run('2', 'b'), run('3', 'b')])).toEqual([]);
  });

  it('a run that is started or resumed beside others; not one that only appears', () => {
    const watch = new BeginWatch();
    watch.look([run('1', 'a')]);
    expect(watch.look([run('1', 'a'), run('2', 'a')])).toEqual([]);
    expect(watch.look([run('1', 'a'), run('2', 'a'), run('3', 'a', true)])).toEqual(['a']);
    expect(watch.look([run('1', 'a', true), run('2', 'a'), run('3', 'a', true)])).toEqual(['a']);
    expect(watch.look([run('1', 'a'), run('2', 'a'), run('3', 'a')])).toEqual([]);
  });
});
