import { describe, expect, it } from 'vitest';
import schema from '../../../src/experiment/experiment.schema.json';
import {
  formatMetric,
  METRIC_COLUMNS,
  metricCells,
  metricHover,
  METRICS,
  senseOf,
} from '../../../src/experiment/metrics';

describe('the metrics', () => {
  it('match the schema, including their descriptions', () => {
    const choices = [schema.properties.training.properties.metric, schema.properties.sweep.properties.metric];
    for (const choice of choices) {
      expect(choice.enum).toEqual(METRICS);
      expect(choice.enumDescriptions).toEqual(METRICS.map(metricHover));
    }
  });

  it('are all shown in tables', () => {
    expect([...METRIC_COLUMNS].sort()).toEqual([...METRICS].sort());
    expect(metricCells({ accuracy: 0.6123, f1: 1, matthews: -0.25, loss: 0.43216 })).toEqual([
      '0.4322',
      '61.2 %',
      '100.0 %',
      '-0.250',
    ]);
    expect(metricCells({ accuracy: 0.5 })).toEqual(['–', '50.0 %', '–', '–']);
  });

  it('from a later version are shown as numbers', () => {
    const later = 'bleu' as (typeof METRICS)[number];
    expect([formatMetric(later, 0.5), senseOf(later)]).toEqual(['0.500', 1]);
  });
});
