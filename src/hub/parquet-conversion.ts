import type { ListedFile } from './choose-files';

/** The branch to which the hub converts data sets. https://huggingface.co/docs/dataset-viewer/parquet */
export const CONVERTED = 'refs/convert/parquet';

/** A split of a configuration, in Parquet files. */
export interface ConvertedSplit {
  config: string;
  split: string;
  /** The hub converts only the first gigabytes of large data sets. */
  partial: boolean;
  /** In order. */
  files: ListedFile[];
}

/** CONFIG/SPLIT/0000.parquet, or CONFIG/partial-SPLIT/0000.parquet. */
const FILE = /^([^/]+)\/(partial-)?([^/]+)\/(\d+)\.parquet$/;

/** The splits in that branch, in the order in which data sets are used. One whose first file is missing is not there as a whole. */
export function convertedSplits(files: readonly ListedFile[]): ConvertedSplit[] {
  const splits = new Map<string, ConvertedSplit>();
  for (const file of [...files].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const [, config, partial, split] = FILE.exec(file.path) ?? [];
    if (config === undefined || split === undefined) continue;
    const key = `${config}/${partial ?? ''}${split}`;
    const found = splits.get(key) ?? { config, split, partial: partial !== undefined, files: [] };
    splits.set(key, found);
    found.files.push(file);
  }
  return [...splits.values()].filter(beginsAtZero).sort((a, b) => place(a.split) - place(b.split));
}

/** In the cache, an interrupted download leaves the last files of a split. */
const beginsAtZero = ({ files: [first] }: ConvertedSplit): boolean => /\/0+\.parquet$/.test(first!.path);

const ORDER = ['train', 'validation', 'val', 'test'];
const place = (split: string): number => (ORDER.indexOf(split) + ORDER.length + 1) % (ORDER.length + 1);

/** The path of a split in its repository: its only file, or a pattern for several. */
export function splitPath({ files: [first, ...others] }: ConvertedSplit): string {
  return others.length === 0
    ? first!.path
    : `${first!.path.slice(0, first!.path.lastIndexOf('/'))}/*.parquet`;
}
