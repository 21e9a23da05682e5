import type { Window } from './window';

/** Answers *New Experiment* step by step, like a user. Each step is identified by its question. */
export class Wizard {
  constructor(private readonly window: Window) {}

  /** Waits for the step with `question` in its placeholder or prompt. */
  async asks(question: string | RegExp): Promise<void> {
    const { page } = this.window;
    const words = page
      .getByPlaceholder(question)
      .or(page.locator('.quick-input-message', { hasText: question }));
    await words.first().waitFor();
  }

  /** Picks the row with this text. */
  async choose(question: string | RegExp, label: string): Promise<void> {
    await this.asks(question);
    await this.window.pick(label);
  }

  /** Picks a row that may be out of sight, by typing its text. */
  async find(question: string | RegExp, label: string): Promise<void> {
    await this.asks(question);
    await this.window.type(label);
  }

  /** Accepts the current selection. */
  async accept(question: string | RegExp): Promise<void> {
    await this.asks(question);
    await this.window.page.keyboard.press('Enter');
  }

  /** Accepts what is checked in a step with several choices. */
  async ok(): Promise<void> {
    await this.window.page.locator('.quick-input-widget').getByRole('button', { name: 'OK' }).click();
  }

  /** Chooses the classification of the texts in train.jsonl, whose columns are `text` and `label`. */
  async classifyTexts(validation = 'validation.jsonl'): Promise<void> {
    await this.choose('Select the kind of task', 'Text classification');
    await this.choose('labeled training texts', 'train.jsonl');
    await this.choose('Select the text column', 'text');
    await this.choose('Select the label column', 'label');
    await this.choose('Select validation data', validation);
  }

  /** Answers from the settings to the rank as AuroRA does by default. */
  async acceptAdapter(): Promise<void> {
    await this.choose('Select settings', 'Defaults');
    await this.choose('Select a method', 'AuroRA');
    await this.asks('Select the layers');
    await this.ok();
    await this.accept('Select a rank');
  }

  /** Answers everything after the data as AuroRA does by default. */
  async acceptDefaults(input: 'text' | 'image' = 'text'): Promise<void> {
    await this.acceptAdapter();
    await this.acceptSize(input);
    await this.accept('file name of the experiment');
  }

  /** Accepts the longest text and the batch size that are suggested; of images only the latter. */
  async acceptSize(input: 'text' | 'image'): Promise<void> {
    if (input === 'text') await this.accept('Select the longest text');
    await this.accept('Select the batch size');
  }

  /** The title, such as "New Experiment (3 of 9)", with the description of the selection. */
  async title(): Promise<string> {
    return this.window.page.locator('.quick-input-title').innerText();
  }

  rows(): Promise<string[]> {
    return this.window.page.locator('.quick-input-list .monaco-list-row').allInnerTexts();
  }
}
