import type { TypedDrawing } from './pictures/settings';
import type { TypedSettings } from './settings';

/** The state of the page, as it is restored after a reload. */
export interface Ui {
  text: string;
  /** The second text of a pair. */
  pair: string;
  /** The choices of a question, one a line. */
  choices: string;
  /** Whether prompts are asked without the template of training. */
  asTyped: boolean;
  /** The prompt of the last text or picture, and whether it was asked without the template. */
  prompt: string;
  promptAsTyped: boolean;
  settings: TypedSettings;
  /** What a picture should not show, and how it is drawn where that is not the model's default. */
  negative: string;
  drawing: Partial<TypedDrawing>;
  /** Whether all labels and spans are shown. */
  all: boolean;
  /** Runs added for comparison. */
  beside: string[];
}
