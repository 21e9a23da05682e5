import type { TextExample } from '../../data/dataset';
import type { ReadWatch } from '../../data/stream/build';
import { isLarge, openStreamed } from '../../data/stream/open';
import { readRows, type Row } from '../../data/table/rows';
import type { Tokenizer } from '../../data/text/tokenizer';
import { tokenizerSum } from '../../data/text/tokenizer-files';
import type { Experiment } from '../../experiment/experiment';
import type { ReadFile } from '../splits';
import type { TextReader } from './text-data';

/** Gets the rows of a file for a kind of task: in memory or, for a large file, on disk with an index. */
export function textRows<R extends Row, E extends TextExample>(
  { format, encoder, counted }: TextReader<R, E>,
  spec: Experiment,
  tokenizer: Tokenizer,
  watch?: ReadWatch,
): ReadFile<R> {
  return (path, options) => {
    if (!('marks' in format) || !isLarge(path)) return readRows(path, options, format);
    const { type, lossOn, chatTemplate } = spec.task;
    // The number of tokens does not depend on labels.
    const encode = encoder(tokenizer, { labels: [] }, spec);
    return openStreamed<R>(path, {
      format,
      options,
      reads: {
        type,
        lossOn,
        chatTemplate,
        maxLength: spec.model.maxLength,
        tokenizer: tokenizerSum(tokenizer.path),
      },
      measure: (row) => encode(row, 0),
      ...(counted && { counted: (example) => counted(example as E) }),
      watch,
    });
  };
}
