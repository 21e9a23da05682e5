import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { childEnvironment } from '../../src/files/child-environment';
import type { Condition, Pod } from '../../src/executors/kubernetes/pods';
import type { SimulatedJob } from './simulated-job';

const LABEL = 'batch.kubernetes.io';

/** As a kubelet does it in commands and arguments (third_party/forked/golang/expansion of Kubernetes). */
const expanded = (text: string, env: Readonly<Record<string, string>>): string =>
  text.replace(/\$(?:\$|\(([^)]*)\))/g, (found, name?: string) =>
    name === undefined ? '$' : (env[name] ?? found),
  );

/** A pod of an index, whose container is a process of this machine. */
export class SimulatedPod {
  readonly name: string;
  readonly labels: Record<string, string>;
  readonly annotations: Record<string, string>;
  readonly conditions: Condition[] = [];
  readonly created = new Date().toISOString();
  phase: NonNullable<Pod['status']>['phase'] = 'Pending';
  deleted: string | undefined;
  waiting: { reason: string; message?: string } | undefined;
  terminated: { exitCode: number; reason: string; message?: string } | undefined;
  node: string | undefined;
  log = '';
  private child: ChildProcess | undefined;
  /** Why the container was killed, as Kubernetes says it. */
  private killedFor: string | undefined;

  constructor(
    readonly job: SimulatedJob,
    readonly index: number,
  ) {
    const { name, labels } = job.manifest.metadata;
    this.name = `${name}-${index}-${randomBytes(3).toString('hex').slice(0, 5)}`;
    this.labels = {
      ...labels,
      [`${LABEL}/job-name`]: name,
      [`${LABEL}/controller-uid`]: job.uid,
      [`${LABEL}/job-completion-index`]: String(index),
    };
    const { failures, ignored } = job.countsOf(index);
    this.annotations = {
      [`${LABEL}/job-completion-index`]: String(index),
      [`${LABEL}/job-index-failure-count`]: String(failures),
      ...(ignored > 0 && { [`${LABEL}/job-index-ignored-failure-count`]: String(ignored) }),
    };
  }

  get isOver(): boolean {
    return this.phase === 'Succeeded' || this.phase === 'Failed';
  }

  /** @param trainer where the image's trainer is on this machine */
  start(node: string, trainer: string, ended: () => void): void {
    const [container] = this.job.manifest.spec.template.spec.containers;
    const [shell, flag, script, name] = container!.command as [string, string, string, string];
    const env: Record<string, string> = { JOB_COMPLETION_INDEX: String(this.index) };
    for (const variable of container!.env) env[variable.name] = this.valueOf(variable);
    this.node = node;
    this.phase = 'Running';
    this.waiting = undefined;
    const folder = mkdtempSync(join(tmpdir(), 'aurora-pod-'));
    const last = join(folder, 'termination-log');
    const here = expanded(script, env)
      .replaceAll('/opt/aurora', trainer)
      .replaceAll('/dev/termination-log', last);
    const child = spawn(shell, [flag, here, name, ...container!.args.map((arg) => expanded(arg, env))], {
      env: childEnvironment(process.env, { ...env, TMPDIR: folder }),
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (this.log += text));
    child.once('exit', (code, signal) => {
      const exitCode = code ?? (signal === 'SIGKILL' ? 137 : 143);
      const message = existsSync(last) ? readFileSync(last, 'utf8') : '';
      rmSync(folder, { recursive: true });
      this.terminated = {
        ...{ exitCode, reason: this.killedFor ?? (exitCode === 0 ? 'Completed' : 'Error') },
        ...(message && { message }),
      };
      this.phase = exitCode === 0 ? 'Succeeded' : 'Failed';
      ended();
    });
  }

  /** Ends the pod as a kubelet does when it is deleted or evicted: SIGTERM to its first process. */
  terminate(): void {
    this.child?.kill('SIGTERM');
  }

  /** All its processes at once. */
  kill(reason?: string): void {
    this.killedFor = reason;
    try {
      process.kill(-this.child!.pid!, 'SIGKILL');
    } catch {
      // It has ended.
    }
  }

  private valueOf(variable: { value?: string; valueFrom?: { fieldRef: { fieldPath: string } } }): string {
    if (variable.value !== undefined) return variable.value;
    const [, kind, key] = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(
      variable.valueFrom!.fieldRef.fieldPath,
    )!;
    return (kind === 'labels' ? this.labels : this.annotations)[key!] ?? '';
  }

  object(): Pod {
    const { name, labels, annotations, created: creationTimestamp, deleted: deletionTimestamp } = this;
    const state = this.terminated
      ? { terminated: this.terminated }
      : this.waiting
        ? { waiting: this.waiting }
        : undefined;
    return {
      metadata: {
        name,
        labels,
        annotations,
        creationTimestamp,
        ...(deletionTimestamp && { deletionTimestamp }),
      },
      spec: { ...(this.node !== undefined && { nodeName: this.node }) },
      status: {
        phase: this.phase,
        conditions: this.conditions,
        ...(state && {
          containerStatuses: [
            // As a service mesh adds it.
            { name: 'a-proxy', state: {} },
            { name: 'trainer', state },
          ],
        }),
      },
    };
  }
}
