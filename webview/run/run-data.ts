import { lastAtMost } from '../charts/curve';
import type { RunRecords, RunFacts, RunUpdate, ShownPictures } from '../../src/protocol/panels/run';
import { metricValue, type MetricName, type Metrics } from '../../src/experiment/metrics';
import { isAnyEvaluation, scoresOf, type Scores } from '../../src/protocol/evaluations';
import { batched, type RunEvent } from '../../src/protocol/events';
import type { RunSamples } from '../../src/protocol/run-files/samples';
import { MovingAverage } from '../../src/study/smoothing';

/** A Float64Array that grows. */
class Growing {
  private values = new Float64Array(1024);
  length = 0;

  /** The current content, not copied; valid until the next change. */
  get view(): Float64Array {
    return this.values.subarray(0, this.length);
  }

  push(value: number): void {
    this.reserve(this.length + 1);
    this.values[this.length++] = value;
  }

  reserve(length: number): void {
    if (length <= this.values.length) return;
    const grown = new Float64Array(Math.max(length, this.values.length * 2));
    grown.set(this.view);
    this.values = grown;
  }

  truncate(length: number): void {
    this.length = Math.min(this.length, length);
  }
}

/** Samples of the machine, which are not taken at steps; their x follows from when the steps around them ended. */
class Resources {
  private columns = new Map<string, Growing>();
  private places = { key: '', x: new Float64Array(0) };
  private changes = 0;

  constructor(private readonly run: RunData) {}

  get count(): number {
    return this.columns.get('time')?.length ?? 0;
  }

  column(name: string): Float64Array {
    return this.columns.get(name)?.view ?? new Float64Array(0);
  }

  /** Returns false if something in between was lost. */
  apply({ from, columns, values }: RunRecords): boolean {
    if (from > this.count) return false;
    this.changes++;
    if (from === 0) this.columns = new Map(columns.map((name) => [name, new Growing()]));
    columns.forEach((name, k) => {
      const column = this.columns.get(name);
      column?.truncate(from);
      for (let i = k; i < values.length; i += columns.length) column?.push(values[i]);
    });
    return true;
  }

  /** Ascending: where each sample is on an axis, between the steps that ended before and after it. */
  x(axis: XAxis): Float64Array {
    const { run } = this;
    const key = `${axis} ${this.changes} ${run.records} ${run.events.length}`;
    if (this.places.key === key) return this.places.x;
    const [ends, at] = [run.column('time'), run.x(axis)];
    let before = -Infinity;
    const x = Float64Array.from(
      this.column('time'),
      (time) => (before = Math.max(before, between(ends, at, time))),
    );
    this.places = { key, x };
    return x;
  }
}

/** Linear between two steps; the first or the last step's place outside of them. */
function between(ends: Float64Array, at: Float64Array, time: number): number {
  if (ends.length === 0) return 0;
  const i = lastAtMost(ends, time);
  if (i < 0) return at[0];
  if (i === ends.length - 1) return at[i];
  const share = (time - ends[i]) / (ends[i + 1] - ends[i]);
  return at[i] + share * (at[i + 1] - at[i]);
}

export type XAxis = 'step' | 'epoch' | 'time';
type Evaluation = Extract<RunEvent, { kind: 'evaluation' }>;

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
  /** The pictures drawn before training and at evaluations; undefined if there are none. */
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
      // Its events say where a run paused.
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
  /** The values that the charts show. */
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
interface Derived {
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

/** The moving average of a series that grows. */
export class Smoothed implements Derived {
  private readonly out = new Growing();
  private average: MovingAverage;

  constructor(
    private readonly source: () => Float64Array,
    private readonly weight: number,
  ) {
    this.average = new MovingAverage(weight);
  }

  truncate(length: number): void {
    if (length >= this.out.length) return;
    this.out.truncate(0);
    this.average = new MovingAverage(this.weight);
  }

  extend(records: number): Float64Array {
    const source = this.source();
    this.out.reserve(records);
    for (let i = this.out.length; i < records; i++) this.out.push(this.average.add(source[i]));
    return this.out.view;
  }
}
