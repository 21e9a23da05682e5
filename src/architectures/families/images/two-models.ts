import { AuroraError } from '../../../base/errors';
import type { Config } from '../../folder/config';

/**
 * The error for a folder of several models, to be thrown.
 *
 * @param them the models in it, in words
 * @param parts the section of config.json and the model_type of those that can be read alone
 */
export function twoModels(
  config: Config,
  them: string,
  parts: readonly [section: string, type: string][],
): AuroraError {
  const [first, ...others] = parts.map(([section, type]) => ({ section, type: `"${type}"` }));
  const rest = others
    .map(({ section, type }) => `, or that of ${section} with "model_type": ${type}`)
    .join('');
  return new AuroraError(
    'model',
    `${config.path}: model_type is "${config.text('model_type')}", which is ${them} in one.`,
    `Make a folder with the same weights, where config.json is the content of ${first.section} with "model_type": ${first.type}${rest}.`,
  );
}
