import { spawn, type ChildProcess } from 'node:child_process';
import { CLI } from '../cli/lab';

/** An `aurora` command in the background that follows trials on a cluster. */
export class Queue {
  private static readonly all: Queue[] = [];
  private readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  text = '';

  constructor(args: readonly string[], env: NodeJS.ProcessEnv) {
    this.child = spawn(process.execPath, [CLI, ...args], {
      env: { ...env, AURORA_CLUSTER_LOOK_MS: '300' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout!, this.child.stderr!])
      stream.setEncoding('utf8').on('data', (text: string) => (this.text += text));
    this.ended = new Promise((resolve) => this.child.once('close', resolve));
    Queue.all.push(this);
  }

  /** Ends those that a failed test has left. */
  static async killAll(): Promise<void> {
    for (const queue of Queue.all.splice(0)) await queue.kill();
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null;
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  /** Ctrl-C. */
  interrupt(): void {
    this.child.kill('SIGINT');
  }
}
