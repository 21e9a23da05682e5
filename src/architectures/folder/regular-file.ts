import { AuroraError } from '../../base/errors';
import { count } from '../../base/number-text';
import { statInput } from '../../files/inputs/open';

/**
 * Refuses anything but a regular file, such as a folder or a pipe, which nobody may ever write to, and a text file that
 * is longer than any real one: it would be read into memory as a whole.
 * @param most bytes
 * @throws AuroraError 'model'; errors of the system, as for a missing file, are left to the caller
 */
export function requireRegular(path: string, most = Infinity): void {
  const found = statInput(path, 'model-data');
  if (!found) throw Object.assign(new Error(`${path} does not exist`), { code: 'ENOENT' });
  const fail = (why: string) =>
    new AuroraError('model', `${path} ${why}.`, 'Download it again from the Hugging Face hub.');
  if (!found.isFile()) throw fail('is not a file');
  if (found.size > most) throw fail(`has ${count(found.size)} bytes, more than any model needs here`);
}
