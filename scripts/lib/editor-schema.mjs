/**
 * The experiment's schema for VS Code's JSON service: the same completions and hovers, and no problems. That service reports
 * every violation as a warning, whatever it prevents, so the extension reports them itself.
 *
 * Completions and hovers come from all schemas that apply to a value, those inside two `not` included; a `not` whose schema
 * nothing satisfies is never violated.
 */
export function editorSchema({ definitions, allowComments, allowTrailingCommas, ...schema }) {
  const { $schema, title, defaultSnippets } = schema;
  return {
    $schema,
    title,
    allowComments,
    allowTrailingCommas,
    // For an empty file.
    defaultSnippets,
    definitions,
    not: { allOf: [{ not: schema }, { not: {} }] },
  };
}
