import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { errorFrom, type ErrorRecord } from '../../base/errors';
import { imageValues, type ImageJob, type ImageValues } from './job';

/** A worker's answer to a job. */
export type ImageReply = { id: number } & (ImageValues | { error: ErrorRecord });

interface Waiting {
  resolve(image: ImageValues): void;
  reject(cause: Error): void;
}

/** The other cores are left to the runtime's own threads. */
const MOST_WORKERS = 4;

/** Reads images on worker threads, each on the one with the fewest left. */
class ImagePool {
  private readonly workers: PoolWorker[];

  constructor(program: string, size: number) {
    this.workers = Array.from({ length: size }, () => new PoolWorker(program));
  }

  run(job: ImageJob): Promise<ImageValues> {
    return this.workers.reduce((a, b) => (b.left < a.left ? b : a)).run(job);
  }
}

class PoolWorker {
  private thread: Worker | undefined;
  private readonly waiting = new Map<number, Waiting>();
  private next = 0;

  constructor(private readonly program: string) {}

  get left(): number {
    return this.waiting.size;
  }

  run(job: ImageJob): Promise<ImageValues> {
    const thread = (this.thread ??= this.start());
    const id = this.next++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      // A thread keeps the process alive only while something is awaited of it.
      thread.ref();
      thread.postMessage({ id, job });
    });
  }

  private start(): Worker {
    const thread = new Worker(this.program, { stdin: false });
    thread.unref();
    thread.on('message', (reply: ImageReply) => this.done(thread, reply));
    thread.on('error', (cause) => this.failed(cause));
    thread.on('exit', () => this.failed(new Error('The thread that reads images ended early')));
    return thread;
  }

  private done(thread: Worker, reply: ImageReply): void {
    const job = this.waiting.get(reply.id);
    this.waiting.delete(reply.id);
    if (this.waiting.size === 0) thread.unref();
    if ('values' in reply) job?.resolve({ values: reply.values, grid: reply.grid });
    else job?.reject(errorFrom(reply.error));
  }

  private failed(cause: Error): void {
    this.thread = undefined;
    for (const { reject } of this.waiting.values()) reject(cause);
    this.waiting.clear();
  }
}

let pool: ImagePool | undefined;

/** From here on, images are read on worker threads. @param program the built image-worker */
export function useImageWorkers(program: string): void {
  // The training thread keeps one core.
  pool = new ImagePool(program, Math.max(1, Math.min(MOST_WORKERS, availableParallelism() - 1)));
}

/** @throws AuroraError 'data' if the image cannot be read */
export const readValues = (job: ImageJob): Promise<ImageValues> => (pool ? pool.run(job) : imageValues(job));
