import type { Experiment } from '../../experiment/experiment';
import { otherHost } from '../../files/contained';
import { keyPath, type Problem } from './experiment-text';

/**
 * Paths of an experiment that lead to another computer. They must be found before anything looks whether a file is there.
 *
 * @param folder of the experiment file, absolute
 */
export function hostPathProblems(
  { model, data }: Pick<Experiment, 'model' | 'data'>,
  folder: string,
  platform = process.platform,
): Problem[] {
  const named: [path: string[], written: string | undefined][] = [
    ...(['path', 'tokenizer', 'preprocessor'] as const).map((key): [string[], string | undefined] => [
      ['model', key],
      model[key],
    ]),
    ...(['train', 'validation', 'test', 'classImages'] as const).map(
      (key): [string[], string | undefined] => [['data', key], data[key]],
    ),
    ...Object.entries(data.evaluations ?? {}).map(([name, set]): [string[], string] => [
      ['data', 'evaluations', name, 'path'],
      set.path,
    ]),
  ];
  return named.flatMap(([path, written]) => {
    const host = written === undefined ? undefined : otherHost(written, folder, platform);
    const message = `${keyPath(path)} leads to another computer, ${host}: Windows would send it your name and a hash of your password. Copy the files, or map the share to a drive letter`;
    return host === undefined ? [] : [{ path, message }];
  });
}
