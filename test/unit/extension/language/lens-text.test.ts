import { describe, expect, it } from 'vitest';
import { runningText, runsText } from '../../../../src/extension/language/lens-text';
import type { RunEntry, ShownState } from '../../../../src/extension/runs/store';
import type { MetricName } from '../../../../src/experiment/metrics';

function entry(
  state: ShownState,
  best: number | undefined,
  more: { metric?: MetricName; step?: number } = {},
) {
  const metric = more.metric ?? 'accuracy';
  const metrics = { loss: 9, accuracy: 0.1, f1: 0.1, matthews: 0.1, examples: 4, [metric]: best };
  const evaluation = {
    v: 1,
    seq: 1,
    t: 1,
    kind: 'evaluation',
    step: 1,
    epoch: 1,
    best: true,
    seconds: 1,
    metrics,
  };
  const run = {
    spec: { training: { metric } },
    status: { step: more.step ?? 0, steps: 300 },
    events: best === undefined ? [] : [evaluation],
  };
  return { folder: `/r/${state}`, state, user: {}, run } as unknown as RunEntry;
}

describe('the CodeLens above an experiment', () => {
  it('shows the number of runs and the best one by the metric of the newest', () => {
    expect(runsText([])).toBeUndefined();
    expect(runsText([entry('failed', undefined)])).toBe('1 run');
    const runs = [entry('running', undefined), entry('finished', 0.63), entry('finished', 0.58)];
    expect(runsText(runs)).toBe('3 runs · best accuracy 63.0%');
    const loss = [entry('finished', 0.4, { metric: 'loss' }), entry('finished', 0.3, { metric: 'loss' })];
    expect(runsText([...loss, entry('finished', 0.9)])).toBe('3 runs · best loss 0.3000');
    const damaged = { folder: '/r/x', state: 'damaged', user: {} } as unknown as RunEntry;
    expect(runsText([damaged, entry('finished', 0.5)])).toBe('2 runs · best accuracy 50.0%');
  });

  it('shows the progress of a running run', () => {
    expect(runningText([entry('finished', 0.5), entry('lost', 0.5)])).toBeUndefined();
    expect(runningText([entry('running', 0.5, { step: 128 })])).toEqual({
      folder: '/r/running',
      text: '$(sync~spin) Running 42%',
    });
    expect(runningText([entry('starting', undefined)])?.text).toBe('$(sync~spin) Starting…');
  });
});
