/** The progress of fitting an adapter: training tokens that have run through the model. */
export interface FitProgress {
  kind: 'fitting';
  done: number;
  of: number;
}
