import schema from './experiment.schema.json';

interface Definition {
  properties: Record<string, { default?: unknown }>;
}

/** A method's settings if an experiment gives none: the schema's defaults for all settings of the method. */
export function adapterDefaults(method: string): Record<string, unknown> {
  const { properties } = (schema.definitions as unknown as Record<string, Definition>)[method];
  const defaults = Object.entries(properties).flatMap(([key, { default: value }]) =>
    value === undefined ? [] : [[key, value]],
  );
  return { ...Object.fromEntries(defaults), method };
}
