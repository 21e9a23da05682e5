import type { Span } from '../../runs/experiment/experiment-text';

export interface Fix extends Span {
  /** Title in the list of quick fixes. */
  title: string;
  /** Replaces the range. */
  text: string;
  /** The preferred one of several. */
  preferred?: boolean;
}

/** A problem in an experiment that its schema cannot express, with its position. */
export interface Finding extends Span {
  severity: 'error' | 'warning' | 'information';
  /** Short and stable, such as target-unmatched. */
  code: string;
  message: string;
  fixes: Fix[];
  /** A command that solves the problem; its argument is the experiment. */
  command?: { title: string; command: string };
}
