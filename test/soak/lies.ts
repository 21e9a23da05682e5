import { clean, type Campaign } from './campaign';
import { chatLies } from './lies/chat-lies';
import { hubLies } from './lies/hub-lies';
import { imageLies } from './lies/image-lies';
import type { Lies } from './lies/lie';
import { onnxLies } from './lies/onnx-lies';
import { parquetLies } from './lies/parquet-lies';
import { safetensorsLies } from './lies/safetensors-lies';
import { tableLies } from './lies/table-lies';
import { tokenizerLies } from './lies/tokenizer-lies';
import { readInEveryWay, type Reading, ReadingThread } from './reading';
import { emptyFolder } from './subjects';

const ALL: readonly Lies[] = [
  onnxLies,
  hubLies,
  safetensorsLies,
  tokenizerLies,
  chatLies,
  tableLies,
  parquetLies,
  imageLies,
];

const thread = new ReadingThread('lies');

/** Constructs a file that is well formed but states what it does not hold, and reads it in every possible way. */
export const lies: Campaign = {
  name: 'lies',
  slice: 80,
  async trial(draw, folder) {
    const { done, unclean } = await thread.ask(draw.seed, folder);
    clean(unclean === undefined, unclean ?? '');
    return done;
  },
};

export const lieReading: Reading = (draw, folder) => {
  const { name, lies, readers } = draw.pick(ALL);
  const [lie, make] = draw.pick(Object.entries(lies));
  make(draw, emptyFolder(folder));
  return readInEveryWay(readers, folder, `${name}: ${lie}`);
};
