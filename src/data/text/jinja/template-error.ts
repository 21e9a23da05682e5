/** A mistake in a template, or in its values; `line` counts from 1. */
export class TemplateError extends Error {
  constructor(
    message: string,
    public line?: number,
    /** raise_exception was called: the message is the template's own. */
    readonly raised = false,
  ) {
    super(message);
  }
}
