import { rmSync } from 'node:fs';

/** Removes a folder when the returned function is called, or when the process ends before that. */
export function removedAtEnd(path: string): () => void {
  // A child that is being killed may write once more.
  const remove = () => rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  process.once('exit', remove);
  return () => {
    process.removeListener('exit', remove);
    remove();
  };
}
