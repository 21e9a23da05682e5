import Ajv, { type ValidateFunction } from 'ajv';
import schema from '../../experiment/experiment.schema.json';
import options from './ajv-options.json';

let compiled: ValidateFunction | undefined;

/** A build replaces this file with the compiled validator (scripts/lib/schema-validator-code.mjs). */
export const schemaValidator = (): ValidateFunction => (compiled ??= new Ajv(options).compile(schema));
