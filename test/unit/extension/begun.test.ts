import { describe, expect, it } from 'vitest';
import { BeginWatch } from '../../../src/extension/tree/begun';

const run = (folder: string, experiment: string, active = false) =>
  ({ folder, experiment, state: active ? 'running' : 'finished' }) as const;

describe('the experiments in which a run has started', () => {
  it('are empty on the first check', () => {
    expect(new BeginWatch().look([run('1', 'a', true)])).toEqual([]);
  });

  it('include one with its first run, whether it is running or not', () => {
    const watch = new BeginWatch();
    watch.look([run('1', 'a')]);
    expect(watch.look([run('1', 'a'), run('2', 'b'), run('3', 'b')])).toEqual(['b']);
    expect(watch.look([run('1', 'a'), run('2', 'b'), run('3', 'b')])).toEqual([]);
  });

  it('include one with a run started or resumed beside others, but not one in which a run only appears', () => {
    const watch = new BeginWatch();
    watch.look([run('1', 'a')]);
    expect(watch.look([run('1', 'a'), run('2', 'a')])).toEqual([]);
    expect(watch.look([run('1', 'a'), run('2', 'a'), run('3', 'a', true)])).toEqual(['a']);
    expect(watch.look([run('1', 'a', true), run('2', 'a'), run('3', 'a', true)])).toEqual(['a']);
    expect(watch.look([run('1', 'a'), run('2', 'a'), run('3', 'a')])).toEqual([]);
  });

  it('include those of changed runs, whichever were looked at before', () => {
    const watch = new BeginWatch();
    expect(watch.lookAt([run('1', 'a', true)])).toEqual([]);
    watch.look([run('1', 'a'), run('2', 'b', true)]);
    expect(watch.lookAt([run('1', 'a', true), run('2', 'b')])).toEqual(['a']);
    expect(watch.lookAt([run('2', 'b', true)])).toEqual(['b']);
    expect(watch.look([run('1', 'a', true), run('2', 'b', true)])).toEqual([]);
  });
});
