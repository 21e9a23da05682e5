import { describe, expect, it } from 'vitest';
import type { MetricValue } from '../../../../src/experiment/metrics';
import { EarlyStopping } from '../../../../src/training/loop/early-stopping';

const follow = (stopping: EarlyStopping, values: MetricValue[]) =>
  values.map((v) => {
    const { best, stop } = stopping.update(v);
    return `${best ? 'best' : '-'}${stop ? ' stop' : ''}`;
  });

describe('early stopping', () => {
  it('prefers the higher accuracy or the lower loss and does not count a tie as better', () => {
    expect(follow(new EarlyStopping('accuracy'), [0.5, 0.4, 0.5, 0.6])).toEqual(['best', '-', '-', 'best']);
    expect(follow(new EarlyStopping('loss'), [0.5, 0.6, 0.5, 0.4])).toEqual(['best', '-', '-', 'best']);
  });

  it('stops after `patience` evaluations without progress, and never without a rule', () => {
    const values = [0.5, 0.4, 0.6, 0.6, 0.6];
    expect(follow(new EarlyStopping('f1', { patience: 2, minDelta: 0 }), values)).toEqual([
      'best',
      '-',
      'best',
      '-',
      '- stop',
    ]);
    expect(follow(new EarlyStopping('f1'), values).join()).not.toContain('stop');
  });

  it('counts a gain within minDelta as the best but not as progress, until such gains add up', () => {
    const stopping = new EarlyStopping('matthews', { patience: 3, minDelta: 0.1 });
    expect(follow(stopping, [0.5, 0.56, 0.62, 0.68, 0.7, 0.71])).toEqual([
      'best',
      'best',
      'best',
      'best',
      'best',
      'best stop',
    ]);
  });

  it('never counts a diverged evaluation as the best, not even the first', () => {
    const stopping = new EarlyStopping('loss', { patience: 2, minDelta: 0 });
    expect(follow(stopping, ['diverged', 0.5, 'diverged', 'diverged'])).toEqual(['-', 'best', '-', '- stop']);
  });

  it('continues from its saved state', () => {
    const rule = { patience: 2, minDelta: 0 };
    const first = new EarlyStopping('loss', rule);
    follow(first, [0.5, 0.7]);
    const second = new EarlyStopping('loss', rule);
    second.load(JSON.parse(JSON.stringify(first.state())));
    expect(follow(second, [0.6])).toEqual(['- stop']);
  });
});
