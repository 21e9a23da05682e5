import type { Config } from './config';

/** diffusers' name of the class that config.json describes: `UNet2DConditionModel`. */
const CLASS_NAME = '_class_name';

/** The key in which a config.json names its family: `model_type`, or diffusers' `_class_name`. */
export const typeKey = (config: Config): string =>
  config.isText(CLASS_NAME) && !config.isText('model_type') ? CLASS_NAME : 'model_type';

export const typeOf = (config: Config): string => config.text(typeKey(config));
