import { describe, expect, it } from 'vitest';
import schema from '../../../src/experiment/experiment.schema.json';
import { WRITTEN_SCORINGS } from '../../../src/experiment/scoring';
import { TASKS } from '../../../src/experiment/tasks/registry';
import {
  formatMetric,
  isBetter,
  metricCells,
  metricHeads,
  metricHover,
  metricInfo,
  METRICS,
  metricsIn,
  metricValue,
  score,
  senseOf,
  type MetricName,
  type Metrics,
} from '../../../src/experiment/metrics';

describe('the metrics', () => {
  it('match the schema, including their descriptions', () => {
    const choices = [schema.properties.training.properties.metric, schema.properties.sweep.properties.metric];
    for (const choice of choices) {
      expect(choice.enum).toEqual(METRICS);
      expect(choice.enumDescriptions).toEqual(METRICS.map(metricHover));
    }
  });

  it('are the loss, the metrics of the kinds of task, and those of written answers', () => {
    const kinds = Object.values(TASKS).flatMap((t) => t.metrics);
    const measured = [...kinds, ...Object.values(WRITTEN_SCORINGS)];
    expect([...new Set(measured), 'loss'].sort()).toEqual([...METRICS].sort());
    for (const { metrics } of Object.values(TASKS)) expect(metrics).not.toContain('loss');
  });

  it('of an evaluation are all shown in tables, the loss first', () => {
    const metrics: Metrics = { matthews: -0.25, f1: 1, accuracy: 0.6123, loss: 0.43216 };
    const names = metricsIn(metrics);
    expect(names).toEqual(['loss', 'accuracy', 'f1', 'matthews']);
    expect(metricHeads(names)).toEqual(['loss', 'accuracy', 'F1', 'MCC']);
    expect(metricCells(names, metrics)).toEqual(['0.4322', '61.2%', '100.0%', '-0.250']);
    expect(metricCells(names, { accuracy: 0.5 })).toEqual(['–', '50.0%', '–', '–']);
    const entities: Metrics = { tagAccuracy: 0.98765, entityRecall: 0.5, loss: 1, entityF1: 0 };
    expect(metricCells(metricsIn(entities), entities)).toEqual(['1.0000', '0.0%', '50.0%', '98.8%']);
  });

  it('of several evaluations are those that at least one of them has', () => {
    expect(metricsIn({ loss: 1, entityF1: 0 }, { accuracy: 0 })).toEqual(['loss', 'accuracy', 'entityF1']);
    expect(metricsIn({ loss: 1, examples: 3, step: 4 } as Metrics)).toEqual(['loss']);
    // Inherited properties such as `constructor` are not metrics.
    expect(metricsIn({})).toEqual([]);
  });

  it('that an evaluation lacks are worse than any value', () => {
    const without: Metrics = { loss: 1 };
    expect(metricValue({ loss: 1, accuracy: 0 }, 'accuracy')).toBe(0);
    expect(metricValue(without, 'accuracy')).toBeNaN();
    expect(score('accuracy', metricValue(without, 'accuracy'))).toBe(-Infinity);
    expect(isBetter('accuracy', 0, metricValue(without, 'accuracy'))).toBe(true);
    expect(isBetter('accuracy', metricValue(without, 'accuracy'), 0)).toBe(false);
    expect(metricValue({}, 'constructor' as MetricName)).toBeNaN();
  });

  it('in [0, 1] are shown as percentages, and in points in studies', () => {
    const others = ['loss', 'rmse', 'perplexity', 'matthews', 'pearson', 'spearman'];
    for (const name of METRICS.filter((m) => !others.includes(m)))
      expect(metricInfo(name)).toMatchObject({
        range: [0, 1],
        percent: true,
        difference: 'points',
        better: 'higher',
      });
  });

  it('from 1,000 on are shown without decimals', () => {
    expect(['999.99', '1,000', '388,941']).toEqual(
      [999.991, 1000, 388941.01].map((v) => formatMetric('perplexity', v)),
    );
    expect(formatMetric('rmse', -12345.6)).toBe('-12,346');
  });

  it('from a later version are shown as numbers', () => {
    const later = 'bleu' as (typeof METRICS)[number];
    expect([formatMetric(later, 0.5), senseOf(later)]).toEqual(['0.500', 1]);
  });
});
