import { metricValue, type MetricName, type Metrics } from '../../src/experiment/metrics';
import { isAnyEvaluation, scoresOf, type Scores } from '../../src/protocol/evaluations';
import { batched, type RunEvent } from '../../src/protocol/events';
import type { RunFacts, RunUpdate, ShownPictures } from '../../src/protocol/panels/run';
import type { RunSamples } from '../../src/protocol/run-files/samples';
import { lastAtMost } from '../charts/search';
import { Growing } from './growing';
import { Resources } from './charts/resources';

export type XAxis = 'step' | 'epoch' | 'time';
export type Evaluation = Extract<RunEvent, { kind: 'evaluation' }>;

/** An evaluation with numbers, also of an exploded model: that counts in no result, but is drawn. */
export interface Measured {
  step: number;
  epoch: number;
  metrics: Metrics;
  diverged: boolean;
}

/** One run as the page knows it: exactly what the host sent, and what is derived from it. */
export class RunData {
  facts: RunFacts | undefined;
  events: RunEvent[] = [];
  /** Predictions of a few validation rows; undefined if the run has none. */
  samples: RunSamples | undefined;
  /** What was drawn before training and at evaluations; undefined if nothing was. */
  pictures: ShownPictures | undefined;
  readonly resources = new Resources(this);
  private columns = new Map<string, Growing>();
  private readonly derived = new Map<string, Derived>();
  /** Index in the charts: runs keep their colors when others are hidden. */
  constructor(
    readonly folder: string,
    readonly index: number,
  ) {}

  get records(): number {
    return this.columns.get('step')?.length ?? 0;
  }
  get columnNames(): string[] {
    return [...this.columns.keys()];
  }

  /** Every value of a column; empty if the run has no such column. */
  column(name: string): Float64Array {
    return this.columns.get(name)?.view ?? new Float64Array(0);
  }

  /** Returns false if something in between was lost: then nothing was applied, and a snapshot is needed. */
  apply({ facts, records, events, resources, samples, pictures }: RunUpdate): boolean {
    if ((records && records.from > this.records) || (events && events.from > this.events.length))
      return false;
    if (resources && !this.resources.apply(resources)) return false;
    if (samples !== undefined) this.samples = samples ?? undefined;
    if (pictures !== undefined) this.pictures = pictures ?? undefined;
    if (facts) this.facts = facts;
    if (events) {
      this.events = [...this.events.slice(0, events.from), ...events.list];
      // Where a run paused is in its events.
      if ([...events.list].some((e) => e.kind === 'resumed' || e.kind === 'forked'))
        this.derived.delete('x:time');
      this.derived.delete('x:epoch');
    }
    if (records) this.take(records.from, records.columns, records.values);
    return true;
  }

  private take(from: number, names: string[], values: Float64Array): void {
    if (from === 0) this.columns = new Map(names.map((n) => [n, new Growing()]));
    const width = names.length;
    const count = width === 0 ? 0 : values.length / width;
    names.forEach((name, k) => {
      const column = this.columns.get(name);
      if (!column) return;
      column.truncate(from);
      column.reserve(from + count);
      for (let i = 0; i < count; i++) column.push(values[i * width + k]);
    });
    for (const d of this.derived.values()) d.truncate(from);
  }

  /** Extends a series that is derived from the columns to all records; `make` is called once for each new one. */
  derive(key: string, make: () => Derived): Float64Array {
    let found = this.derived.get(key);
    if (!found) this.derived.set(key, (found = make()));
    return found.extend(this.records);
  }

  /** The trainer's peak memory in bytes, as far as recorded; 0 before the first record. */
  get peakMemory(): number {
    const peak = this.derive(
      'peak',
      () => new Each((i, before) => Math.max(before, this.column('memory')[i] || 0)),
    );
    return peak.length > 0 ? peak[peak.length - 1] : 0;
  }

  get started(): Extract<RunEvent, { kind: 'started' }> | undefined {
    return this.events.find((e) => e.kind === 'started');
  }
  get evaluations(): Evaluation[] {
    return this.events.filter((e) => e.kind === 'evaluation');
  }
  /** What the charts show. */
  get measured(): Measured[] {
    return this.events.flatMap((e): Measured[] => {
      if (!isAnyEvaluation(e) || !e.metrics) return [];
      const { step, epoch, metrics, kind } = e;
      return [{ step, epoch, metrics, diverged: kind === 'diverged-evaluation' }];
    });
  }
  /** The scores of the best adapter on the sets that training did not see. */
  get scores(): Scores | undefined {
    return scoresOf(this.events, this.facts?.spec?.data);
  }
  get forked(): Extract<RunEvent, { kind: 'forked' }> | undefined {
    return this.events.find((e) => e.kind === 'forked');
  }

  /** For a run that started with an adapter from disk. */
  get imported(): Extract<RunEvent, { kind: 'imported' }> | undefined {
    return this.events.find((e) => e.kind === 'imported');
  }

  /** The current or last device; runs of older versions do not record it. */
  get device(): Extract<RunEvent, { kind: 'device' }> | undefined {
    return this.events.findLast((e) => e.kind === 'device');
  }

  /** Steps of the whole run; undefined before it started. */
  get totalSteps(): number | undefined {
    return this.facts?.status?.steps || this.started?.steps;
  }
  get lastStep(): number {
    return this.records > 0 ? this.column('step')[this.records - 1] : 0;
  }

  /** As in src/training/loop/training-plan.ts; undefined before the run started. */
  get stepsPerEpoch(): number | undefined {
    const training = this.facts?.spec?.training;
    const { started } = this;
    if (!training || !started) return undefined;
    return (
      Math.ceil(Math.ceil(batched(started) / training.batchSize) / training.gradientAccumulation) || undefined
    );
  }

  /** The position of each record on an axis: step, epoch, or seconds since the start, excluding pauses. */
  x(axis: XAxis): Float64Array {
    if (axis === 'step') return this.column('step');
    if (axis === 'time') return this.derive('x:time', () => new TrainingTime(this));
    const perEpoch = this.stepsPerEpoch ?? NaN;
    return this.derive('x:epoch', () => new Each((i) => this.column('step')[i] / perEpoch));
  }

  /** The position of a step on an axis, also between records. */
  xOfStep(step: number, axis: XAxis): number {
    if (axis === 'step') return step;
    if (axis === 'epoch') return step / (this.stepsPerEpoch ?? NaN);
    const at = lastAtMost(this.column('step'), step);
    return at < 0 ? 0 : this.x('time')[at];
  }

  /** The last step that had ended at a time; 0 before the first. */
  stepAt(time: number): number {
    const at = lastAtMost(this.column('time'), time);
    return at < 0 ? 0 : this.column('step')[at];
  }

  metric({ metrics }: Pick<Measured, 'metrics'>, name: MetricName): number {
    return metricValue(metrics, name);
  }
}

/** A series that grows with the records. */
export interface Derived {
  truncate(length: number): void;
  extend(records: number): Float64Array;
}

/** Each value from its record and the previous value (0 for the first). */
export class Each implements Derived {
  private readonly out = new Growing();
  constructor(private readonly value: (i: number, before: number) => number) {}
  truncate(length: number): void {
    this.out.truncate(length);
  }
  extend(records: number): Float64Array {
    this.out.reserve(records);
    for (let i = this.out.length; i < records; i++)
      this.out.push(this.value(i, i === 0 ? 0 : this.out.view[i - 1]));
    return this.out.view;
  }
}

/**
 * Seconds of training at each record. A pause before a resume or a fork counts as one step's duration, and a clock that
 * was set back as nothing.
 */
class TrainingTime implements Derived {
  private readonly out = new Growing();
  constructor(private readonly run: RunData) {}
  truncate(length: number): void {
    this.out.truncate(length);
  }
  extend(records: number): Float64Array {
    const time = this.run.column('time');
    const seconds = this.run.column('seconds');
    const pauses = this.run.events.filter((e) => e.kind === 'resumed' || e.kind === 'forked').map((e) => e.t);
    for (let i = this.out.length; i < records; i++) {
      const own = seconds[i] || 0;
      if (i === 0) this.out.push(own);
      else {
        const passed = (time[i] - time[i - 1]) / 1000;
        const paused = pauses.some((t) => t > time[i - 1] && t <= time[i]);
        this.out.push(this.out.view[i - 1] + Math.max(0, (paused ? own : passed) || 0));
      }
    }
    return this.out.view;
  }
}
