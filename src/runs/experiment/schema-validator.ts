import Ajv, { type ValidateFunction } from 'ajv';
import schema from '../../experiment/experiment.schema.json';

let compiled: ValidateFunction | undefined;

/**
 * Compiled when it is first needed: the editor's start must not wait for it. Ajv is a fifth of all code that the
 * extension host would read, so a program finds it in a file beside itself (scripts/lib/bundles.mjs).
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
