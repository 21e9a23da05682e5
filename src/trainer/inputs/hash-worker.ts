import { parentPort, workerData } from 'node:worker_threads';
import { hashData } from '../../files/identify-data';
import type { HashedPath, HashTask } from './hashing';

/** Hashes files on a separate thread, since `session.run` blocks the training thread for a whole step. */
async function run({ paths, again }: HashTask): Promise<HashedPath[]> {
  const hashed: HashedPath[] = [];
  for (const path of paths)
    try {
      hashed.push({ path, ...(await hashData(path, { again })) });
    } catch (e) {
      hashed.push({ path, problem: (e as Error).message, code: (e as NodeJS.ErrnoException).code });
    }
  return hashed;
}

void run(workerData as HashTask).then((hashed) => parentPort!.postMessage(hashed));
