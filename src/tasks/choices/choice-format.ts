import type { LanguageRow } from '../../data/table/language-rows';
import type { ChoiceRow } from '../../data/table/choice-rows';
import type { Experiment } from '../../experiment/experiment';
import { inTemplate } from '../../experiment/prompt-template';
import { DEFAULT_SCORING, type Scoring } from '../../experiment/scoring';
import type { LanguageOptions } from '../text/language-text';

/** The format of an experiment's questions with choices, and the method that finds the model's answer. */
export interface ChoiceFormat extends LanguageOptions {
  template: string;
  /** Questions are a user's messages in the model's chat format, and answers the assistant's. */
  chat: boolean;
  /** The default for the words before the choice in an answer. */
  lead?: string;
  scoring: Scoring;
}

/** A question, as a file has it or a person asks it. */
export type Question = Pick<ChoiceRow, 'text' | 'choices' | 'lead'>;

/** The template of the tasks of lm-evaluation-harness whose choices are texts. */
const QUESTION = 'Question: {text}\nAnswer:';
/** The lead of every answer in Commonsense170K. */
const LEAD = 'the correct answer is ';

export function choiceFormat({ data, task, model }: Experiment): ChoiceFormat {
  const { chatTemplate: chat = false, lossOn = 'answers', scoring = DEFAULT_SCORING } = task;
  // Choices in the text itself come with an instruction.
  const instructed = data.completionColumn !== undefined;
  return {
    maxLength: model.maxLength,
    lossOn,
    template: data.promptTemplate ?? (instructed || chat ? '{text}' : QUESTION),
    chat,
    ...(instructed && { lead: LEAD }),
    scoring,
  };
}

/** A question with one of its choices as the answer, as a language model learns it. */
export function answered(
  { text, ...question }: Question,
  choice: string,
  { template, chat, ...format }: ChoiceFormat,
): Pick<LanguageRow, 'text' | 'completion' | 'messages'> {
  const prompt = inTemplate(template, text);
  const lead = question.lead ?? format.lead;
  if (!chat) return { text: prompt, completion: `${lead ?? gap(prompt)}${choice}` };
  const messages = [
    { role: 'user', content: prompt },
    { role: 'assistant', content: `${lead ?? ''}${choice}` },
  ];
  return { text: prompt, messages };
}

/** lm-evaluation-harness's target_delimiter. */
const gap = (prompt: string): string => (/\s$/.test(prompt) ? '' : ' ');
