import { parentPort, workerData } from 'node:worker_threads';
import { hashData } from '../../files/identify-data';
import { hashSet } from '../../files/inputs/file-set';
import type { HashedPath, HashedTask, HashTask } from './hashing';

/** Hashes files on a separate thread, since `session.run` blocks the training thread for a whole step. */
async function run({ paths, sets = new Map(), again }: HashTask): Promise<HashedTask> {
  const hashed: HashedPath[] = [];
  for (const path of paths)
    try {
      hashed.push({ path, ...(await hashData(path, { again })) });
    } catch (e) {
      hashed.push({ path, problem: (e as Error).message, code: (e as NodeJS.ErrnoException).code });
    }
  return { files: hashed, sets: new Map([...sets].map(([data, images]) => [data, hashSet(images)])) };
}

void run(workerData as HashTask).then((hashed) => parentPort!.postMessage(hashed));
