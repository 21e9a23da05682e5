/** The columns that a kind of task reads. */
export interface TaskColumns {
  text?: string;
  pair?: string;
  image?: string;
  completion?: string;
  /** A list of choices in each row, or one column for each choice. */
  choices?: string | string[];
  /** Conversations, in place of texts. */
  messages?: string;
  label?: string;
  /** A column for each label, replacing `label`. */
  labels?: string[];
}

/** The columns as settings of an experiment's `data`; those that are not set are left out. */
export const columnSettings = (c: TaskColumns): [string, unknown][] =>
  Object.entries({
    textColumn: c.text,
    textPairColumn: c.pair,
    imageColumn: c.image,
    completionColumn: c.completion,
    choicesColumn: typeof c.choices === 'string' ? c.choices : undefined,
    choiceColumns: typeof c.choices === 'string' ? undefined : c.choices,
    messagesColumn: c.messages,
    labelColumn: c.label,
    labelColumns: c.labels,
  }).filter(([, value]) => value !== undefined);
