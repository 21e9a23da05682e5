/** A part of a text, in characters. */
export interface Span {
  offset: number;
  length: number;
}

export interface Fix extends Span {
  /** What the person reads in the list of quick fixes. */
  title: string;
  /** Takes the place of the span. */
  text: string;
  /** The likely one of several. */
  preferred?: boolean;
}

/** Something wrong with an experiment that its schema cannot say, at its place. */
export interface Finding extends Span {
  severity: 'error' | 'warning' | 'information';
  /** Short and stable, such as target-unmatched. */
  code: string;
  message: string;
  fixes: Fix[];
}
