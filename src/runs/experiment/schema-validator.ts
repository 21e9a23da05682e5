import Ajv, { type ValidateFunction } from 'ajv';
import schema from '../../experiment/experiment.schema.json';

let compiled: ValidateFunction | undefined;

/**
 * Compiled on first use, so that it does not delay the editor's start. Ajv is a fifth of all code that the extension
 * host would read, so it is bundled as a separate file (scripts/lib/bundles.mjs).
 */
export const schemaValidator = (): ValidateFunction =>
  (compiled ??= new Ajv({
    allErrors: true,
    verbose: true,
    useDefaults: true,
    allowUnionTypes: true,
    // For editors only.
    keywords: ['enumDescriptions', 'defaultSnippets', 'allowComments', 'allowTrailingCommas'],
  }).compile(schema));
