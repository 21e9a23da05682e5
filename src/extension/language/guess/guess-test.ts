import { basename, dirname } from 'node:path';

/** "test.csv", "reviews-test.jsonl", "test-00000-of-00001.parquet", and the folder "test"; not "latest.csv". */
const TEST = /(^|[-_. ])test(ing)?([-_. ]|$)/i;

/**
 * The likely test sets among files or folders: those called so beside the training data, or in a folder called so
 * beside it or its folder ("train/0000.parquet", "test/0000.parquet").
 *
 * @param others absolute paths, without those of training and validation
 */
export function guessTests(train: string, others: readonly string[]): string[] {
  const beside = dirname(train);
  return others.filter((path) => {
    const folder = dirname(path);
    if (TEST.test(basename(path)) && folder === beside) return true;
    return TEST.test(basename(folder)) && [beside, dirname(beside)].includes(dirname(folder));
  });
}
