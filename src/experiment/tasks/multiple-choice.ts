import type { TaskDescription } from './kind';

export const multipleChoice: TaskDescription = {
  title: 'Multiple choice',
  detail:
    'The right one of a question’s own choices, as Commonsense170K has them, written by a language model',
  input: 'text',
  answer: 'choice',
  head: false,
  pairs: false,
  metrics: ['accuracy'],
  columns: { text: 'question', label: 'answer', choices: 'choices' },
  pipelineTag: 'text-generation',
  modelClass: 'ForCausalLM',
  peftTaskType: 'CAUSAL_LM',
};
