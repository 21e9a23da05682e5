import { parentPort } from 'node:worker_threads';
import { errorRecord } from '../../base/errors';
import { imageValues, type ImageJob } from './job';
import type { ImageReply } from './pool';

/** Reads images apart from the training thread, which a step of the runtime blocks. */
async function run(id: number, job: ImageJob): Promise<void> {
  try {
    const image = await imageValues(job);
    reply({ id, ...image }, [image.values.buffer as ArrayBuffer]);
  } catch (e) {
    reply({ id, error: errorRecord(e) });
  }
}

const reply = (value: ImageReply, transfer: ArrayBuffer[] = []) => parentPort!.postMessage(value, transfer);

parentPort!.on('message', ({ id, job }: { id: number; job: ImageJob }) => void run(id, job));
