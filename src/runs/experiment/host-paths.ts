import type { Experiment } from '../../experiment/experiment';
import { pathSettings } from '../../experiment/paths';
import { otherHost } from '../../files/contained';
import { keyPath, type Problem } from './experiment-text';

/**
 * Paths of an experiment that lead to another computer. They must be found before anything looks whether a file is there.
 *
 * @param named as the file has them
 * @param folder of the experiment file, absolute
 */
export const hostPathProblems = (
  named: Pick<Experiment, 'model' | 'data'>,
  folder: string,
  platform = process.platform,
): Problem[] =>
  pathSettings(named).flatMap(({ setting, path }) => {
    const host = path === undefined ? undefined : otherHost(path, folder, platform);
    const message = `${keyPath(setting)} leads to another computer, ${host}: Windows would send it your name and a hash of your password. Copy the files, or map the share to a drive letter`;
    return host === undefined ? [] : [{ path: setting, message }];
  });
