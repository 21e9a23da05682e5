import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';

interface Definition {
  properties?: Record<string, unknown>;
  additionalProperties?: unknown;
}

export const DEFINITIONS_FILE = join(__dirname, '../fixtures/kubernetes/definitions.json');

/** Kubernetes' own definitions, with fields that it does not have refused, as an API server does with strict validation. */
function strictDefinitions() {
  const { definitions } = JSON.parse(readFileSync(DEFINITIONS_FILE, 'utf8')) as {
    definitions: Record<string, Definition>;
  };
  for (const definition of Object.values(definitions))
    if (definition.properties) definition.additionalProperties ??= false;
  return { $id: 'kubernetes', definitions };
}

const int = (bits: number) => (n: number) => Number.isInteger(n) && Math.abs(n) <= 2 ** (bits - 1);
const FORMATS = {
  int32: { type: 'number', validate: int(32) },
  int64: { type: 'number', validate: int(64) },
  double: { type: 'number', validate: Number.isFinite },
  'date-time': (text: string) => !Number.isNaN(Date.parse(text)),
  byte: (text: string) => /^[\w+/]*={0,2}$/.test(text),
  'int-or-string': true,
} as const;

const KINDS = { Job: 'io.k8s.api.batch.v1.Job', Pod: 'io.k8s.api.core.v1.Pod' } as const;

const validators = new Map<string, ValidateFunction>();

/** The violations of Kubernetes 1.32's published schema in an object; none if it is valid. */
export function schemaErrors(object: { kind?: string }): string[] {
  const definition = KINDS[object.kind as keyof typeof KINDS];
  if (!definition) return [`no kind ${object.kind}`];
  let validate = validators.get(definition);
  if (!validate) {
    const ajv = new Ajv({ strict: false, allErrors: true, formats: { ...FORMATS } });
    ajv.addSchema(strictDefinitions());
    validators.set(definition, (validate = ajv.compile({ $ref: `kubernetes#/definitions/${definition}` })));
  }
  return validate(object) ? [] : (validate.errors ?? []).map(errorText);
}

const errorText = ({ instancePath, message, params }: ErrorObject): string =>
  `${instancePath || '/'} ${message} ${JSON.stringify(params)}`;
