import type { jobManifest } from '../../src/executors/kubernetes/manifest';
import type { Condition } from '../../src/executors/kubernetes/pods';

type Manifest = ReturnType<typeof jobManifest>;

/** An Indexed Job as Kubernetes' job controller keeps it. */
export class SimulatedJob {
  readonly uid: string;
  readonly created = new Date().toISOString();
  deleted: string | undefined;
  suspended = false;
  active = 0;
  readonly completed = new Set<number>();
  readonly failed = new Set<number>();
  readonly counts = new Map<number, { failures: number; ignored: number }>();

  constructor(
    readonly manifest: Manifest,
    number: number,
  ) {
    this.uid = `uid-${number}`;
  }

  countsOf(index: number): { failures: number; ignored: number } {
    return this.counts.get(index) ?? { failures: 0, ignored: 0 };
  }

  get isOver(): boolean {
    return this.completed.size + this.failed.size === this.manifest.spec.completions;
  }

  /** Indexes that may have a pod now, in order; those that have one are not among them. */
  waiting(running: ReadonlySet<number>): number[] {
    if (this.suspended || this.deleted !== undefined) return [];
    const { completions, parallelism } = this.manifest.spec;
    const all = Array.from({ length: completions }, (_, i) => i);
    return all
      .filter((i) => !running.has(i) && !this.completed.has(i) && !this.failed.has(i))
      .slice(0, Math.max(0, parallelism - running.size));
  }

  /** A pod of an index has ended: applies the job's podFailurePolicy. */
  ended(index: number, exitCode: number, conditions: readonly Condition[]): void {
    if (exitCode === 0) return void this.completed.add(index);
    const { podFailurePolicy, backoffLimitPerIndex } = this.manifest.spec;
    const rule = podFailurePolicy.rules.find(
      (r) =>
        r.onExitCodes?.values.includes(exitCode) ||
        r.onPodConditions?.some((p) => conditions.some((c) => c.type === p.type && c.status === p.status)),
    );
    if (rule?.action === 'FailIndex') return void this.failed.add(index);
    const { failures, ignored } = this.countsOf(index);
    if (rule) return void this.counts.set(index, { failures, ignored: ignored + 1 });
    if (failures >= backoffLimitPerIndex) return void this.failed.add(index);
    this.counts.set(index, { failures: failures + 1, ignored });
  }

  object(): object {
    const { metadata, ...rest } = this.manifest;
    const { uid, created: creationTimestamp, deleted: deletionTimestamp } = this;
    const over = { lastTransitionTime: this.created, status: 'True' };
    return {
      ...rest,
      metadata: { ...metadata, uid, creationTimestamp, ...(deletionTimestamp && { deletionTimestamp }) },
      spec: { ...rest.spec, suspend: this.suspended },
      status: {
        active: this.active,
        succeeded: this.completed.size,
        ...(this.completed.size > 0 && { completedIndexes: ranges(this.completed) }),
        ...(this.failed.size > 0 && { failedIndexes: ranges(this.failed) }),
        ...(this.isOver && {
          conditions:
            this.failed.size > 0
              ? [{ ...over, type: 'Failed', reason: 'FailedIndexes', message: 'Job has failed indexes' }]
              : [{ ...over, type: 'Complete', reason: 'CompletionsReached' }],
        }),
      },
    };
  }
}

/** As Kubernetes writes them: `0,3-5`; two neighbours with a comma. */
export function ranges(indexes: ReadonlySet<number>): string {
  const runs: [number, number][] = [];
  for (const i of [...indexes].sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last?.[1] === i - 1) last[1] = i;
    else runs.push([i, i]);
  }
  return runs.map(([a, b]) => (a === b ? `${a}` : `${a}${b === a + 1 ? ',' : '-'}${b}`)).join(',');
}
