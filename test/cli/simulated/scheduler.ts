import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { JobState } from '../../../src/executors/cluster/scheduler';
import type { TaskFile } from '../../../src/runs/sweep/task-file';
import type { Answer, Request } from './protocol';

export interface SimulatedTask {
  job: string;
  index: number;
  folder: string;
  /** The trial's number. */
  number: number;
  state: JobState['state'];
  code?: string;
  exitCode?: number;
  restarts: number;
  /** While it runs. */
  child?: ChildProcess;
  cancelled?: true;
}

interface Job {
  id: string;
  name: string;
  first: number;
  parallel: number;
  tasks: SimulatedTask[];
}

/**
 * A scheduler of job arrays on this machine, with everything that one does to tasks: they wait, run, save and are requeued,
 * are preempted, cancelled, lost with their node, and forgotten. It starts real trainers, and notices if two of them
 * train the same trial at a time.
 */
export class SimulatedCluster {
  readonly jobs: Job[] = [];
  /** Numbers of trials that were started while they ran. */
  readonly twice: number[] = [];
  /** Each start, by the trial's number. */
  readonly starts: number[] = [];
  /** False: requests are refused, as when slurmctld is down. */
  answers = true;
  /** Set: called when a job was accepted, before the answer. */
  accepted: (() => void) | undefined;
  /** Why jobs are refused. */
  refusal: string | undefined;
  /** Kills a task as soon as it has started. */
  crashes: (task: SimulatedTask) => boolean = () => false;
  /** Keeps tasks waiting. */
  holds = false;
  private readonly server: Server;

  /**
   * @param program dist/cli.cjs
   * @param slots tasks at a time on all nodes
   */
  constructor(
    private readonly program: string,
    private readonly slots = 2,
  ) {
    this.server = createServer((request, response) => {
      const body: Buffer[] = [];
      request.on('data', (chunk: Buffer) => body.push(chunk));
      request.on('end', () => {
        if (!this.answers) return void response.writeHead(503).end();
        const answer = this.answer(JSON.parse(Buffer.concat(body).toString()) as Request);
        response.end(JSON.stringify(answer));
      });
    });
  }

  start(): Promise<number> {
    return new Promise((resolve) =>
      this.server.listen(0, '127.0.0.1', () => resolve((this.server.address() as AddressInfo).port)),
    );
  }

  stop(): void {
    this.server.close();
    this.holds = true;
    for (const { child } of this.tasks()) child?.kill('SIGKILL');
  }

  tasks(): SimulatedTask[] {
    return this.jobs.flatMap(({ tasks }) => tasks);
  }

  running(): SimulatedTask[] {
    return this.tasks().filter(({ state }) => state === 'running');
  }

  /** Its node dies, and nobody starts it again. */
  lose(task: SimulatedTask): void {
    task.code = 'NODE_FAIL';
    task.child?.kill('SIGKILL');
  }

  /** A job with a higher priority takes its place: it gets a signal, and waits again. */
  preempt(task: SimulatedTask): void {
    task.child?.kill('SIGTERM');
  }

  /** As Slurm five minutes after the end of a job. */
  forget(): void {
    this.jobs.splice(0);
  }

  cancel(tasks: readonly SimulatedTask[]): void {
    for (const task of tasks) {
      if (task.state === 'queued' || task.state === 'preempted') task.state = 'cancelled';
      task.cancelled = true;
      task.child?.kill('SIGTERM');
    }
  }

  private answer(request: Request): Answer {
    switch (request.do) {
      case 'submit': {
        if (this.refusal !== undefined) return { refused: this.refusal };
        const known = this.jobs.find(({ name, first }) => name === request.name && first === request.first);
        const job = known ?? this.submit(request);
        this.accepted?.();
        return { id: job.id };
      }
      case 'find': {
        const own = this.jobs.filter(({ name }) => name === request.name);
        return { jobs: own.map(({ id, first, tasks }) => ({ id, first, count: tasks.length })) };
      }
      case 'states':
        return { states: request.jobs.flatMap((ref) => this.statesOf(ref.id)) };
      case 'cancel': {
        const ids = new Set(request.jobs.map(({ id }) => id));
        const own = this.jobs.filter(({ id }) => ids.has(id)).flatMap(({ tasks }) => tasks);
        const { tasks } = request;
        this.cancel(own.filter(({ index }) => tasks === 'all' || tasks.includes(index)));
        return { done: true };
      }
    }
  }

  private submit({ name, folder, first, count, parallel = Infinity }: Request & { do: 'submit' }): Job {
    const id = String(100 + this.jobs.length);
    const tasks = Array.from({ length: count }, (_, i): SimulatedTask => {
      const task = JSON.parse(readFileSync(join(folder, 'tasks', `${first + i}.json`), 'utf8')) as TaskFile;
      return { job: id, index: first + i, folder, number: task.number, state: 'queued', restarts: 0 };
    });
    const job = { id, name, first, parallel, tasks };
    this.jobs.push(job);
    // After the answer.
    setImmediate(() => this.schedule());
    return job;
  }

  private statesOf(id: string): [number, JobState][] {
    const job = this.jobs.find((one) => one.id === id);
    return (job?.tasks ?? []).map(({ index, state, code, exitCode, restarts, folder }) => [
      index,
      {
        state,
        ...(state === 'queued' ? { code: 'Resources' } : code !== undefined && { code }),
        exitCode,
        ...{ restarts, node: 'n1', job: `${id}_${index}`, log: this.logOf(folder, id, index) },
      },
    ]);
  }

  schedule(): void {
    if (this.holds) return;
    for (const { tasks, parallel } of this.jobs)
      for (const task of tasks) {
        const isFree =
          this.running().length < this.slots && tasks.filter((t) => t.state === 'running').length < parallel;
        if (isFree && (task.state === 'queued' || task.state === 'preempted')) this.run(task);
      }
  }

  private run(task: SimulatedTask): void {
    if (this.running().some(({ number }) => number === task.number)) this.twice.push(task.number);
    this.starts.push(task.number);
    task.state = 'running';
    const { folder, job, index, restarts } = task;
    const log = openSync(this.logOf(folder, job, index), 'a');
    const child = spawn(process.execPath, [this.program, 'trial', join(folder, 'tasks', `${index}.json`)], {
      stdio: ['ignore', log, log],
      env: {
        ...process.env,
        SLURM_JOB_ID: `${job}${index}`,
        SLURM_CLUSTER_NAME: 'test',
        SLURM_RESTART_COUNT: String(restarts),
      },
    });
    closeSync(log);
    task.child = child;
    if (this.crashes(task)) child.kill('SIGKILL');
    child.once('exit', (code) => {
      task.child = undefined;
      this.ended(task, code);
      this.schedule();
    });
  }

  private ended(task: SimulatedTask, code: number | null): void {
    if (task.cancelled) task.state = 'cancelled';
    else if (task.code === 'NODE_FAIL') task.state = 'lost';
    else if (code === 75) {
      task.state = 'preempted';
      task.restarts++;
    } else {
      task.state = code === 0 ? 'finished' : 'failed';
      task.exitCode = code ?? 137;
    }
  }

  private logOf(folder: string, job: string, index: number): string {
    return join(folder, 'logs', `${job}_${index}.log`);
  }
}
